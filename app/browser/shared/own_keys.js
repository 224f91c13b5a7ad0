// Keys that a person has given to classes. They are the person's and this browser's: hands and keyboards differ, and what
// a colleague's fingers know must not change. Every other class keeps the key that the server gives.

const CLASS_KEY = /^(?:(?:shift\+)?[0-9]|\p{L}\p{M}*)$/u;
const COMMANDS = Object.assign({}, ...Object.values(ACTIONS)); // of all pages: a class's key is the same on each
const placeOf = (name) => `labelloop-keys:${name}`;
const ownKeys = (name) => recall(placeOf(name), {}); // class index -> key

const isDigit = (key) => /[0-9]$/.test(key);
const lettersOf = (classes) => new Set(classes.map(({ key }) => key).filter((key) => key !== null && !isDigit(key)));
const isNamedByKey = (each) => each.key !== null && each.key === each.name;
const isSearched = (classes) => classes.some((each) => !each.retired && each.key === null);

// The classes in the order in which somebody has put them; in the list itself each stands at its number.
const inOrder = (classes) => [...classes].sort((one, other) => one.position - other.position);

// A stripe in the color that somebody has given to a class.
function colored(button, { color }) {
  button.classList.toggle("colored", Boolean(color));
  if (color) button.style.setProperty("--class-color", color);
  return button;
}

// The key that an event stands for, as classes have it.
const keyOf = (event) => digitOf(event) ?? letterOf(event) ?? event.key;

// Why a class cannot have a key, as a sentence; null where it can. classes: as the server has them.
function whyNotKey(key, classes) {
  const sign = key.toUpperCase();
  if (!CLASS_KEY.test(key)) return "A class has a digit or a letter as its key.";
  if (STREAMLITS_OWN.has(key)) return `${sign} belongs to the page. Take another key.`;
  if (COMMANDS[key]) return `${sign} is a command (${COMMANDS[key]}). Take another key.`;
  if (!isDigit(key) && isSearched(classes)) return "With so many classes every letter begins a class's name. Take a digit.";
  if (classes.some((each) => !each.retired && isNamedByKey(each) && each.key === key)) return `${sign} is the key of the class with that name.`;
  return null;
}

// The classes with the keys they have for this person. A class whose key was given away has a key that is free.
function withOwnKeys(classes, own) {
  const keys = new Map(); // place -> key
  const taken = new Set();
  const open = classes.flatMap((each, place) => (each.retired ? [] : [place]));
  const give = (place, key) => {
    if (!key || keys.has(place) || taken.has(key)) return;
    keys.set(place, key);
    taken.add(key);
  };
  for (const place of open) if (isNamedByKey(classes[place])) give(place, classes[place].key);
  for (const place of open) if (own[place] && whyNotKey(own[place], classes) === null) give(place, own[place]);
  for (const place of open) give(place, classes[place].key);
  const free = open.map((place) => classes[place].key).filter((key) => key !== null && !taken.has(key));
  for (const place of open) if (!keys.has(place) && classes[place].key !== null) give(place, free.shift());
  return classes.map((each, place) => ({ ...each, key: keys.get(place) ?? null }));
}

// key: null gives the usual one back.
function keepOwnKey(name, place, key) {
  const own = ownKeys(name);
  for (const [other, taken] of Object.entries(own)) if (taken === key) delete own[other];
  if (key === null) delete own[place];
  else own[place] = key;
  remember(placeOf(name), own);
}
