// The thin line under the sample, in words. The numbers are the server's, plus what is on its way to it.

const CLASSES_ON_LINE = 20;
const ON_THE_WAY = { title: "The next samples are on their way", sentence: "They appear here by themselves." };
const OVER = { title: "The labeling budget is reached", sentence: "Nothing more is asked." };
const NO_ANSWER = { title: "The server does not answer", sentence: "Your labels are kept in this browser and are sent when it is back." };

// What stands where the sample would be; waiting: the server's reason why there is none, if it gave one.
const emptyWords = ({ isLost, waiting, isOver }) => (isLost ? NO_ANSWER : waiting ?? (isOver ? OVER : ON_THE_WAY));

const counted = (number, rest) => `${number.toLocaleString("en")} ${number === 1 ? "label" : "labels"} ${rest}`;

// What the decisions that are not confirmed yet change: { all, classes: Map(class index -> number) }.
function changesOf(decisions) {
  const changes = { all: 0, classes: new Map() };
  const add = (classIndex, by) => {
    if (!Number.isInteger(classIndex)) return;
    changes.all += by;
    changes.classes.set(classIndex, (changes.classes.get(classIndex) ?? 0) + by);
  };
  for (const { was, now } of decisions) {
    add(was, -1);
    add(now, 1);
  }
  return changes;
}

function roundLine(progress, changes) {
  const parts = [];
  if (progress.round !== null) {
    const done = Math.min(progress.not_in_model, progress.size);
    const more = progress.not_in_model - done;
    const next = more > 0 ? `, ${more.toLocaleString("en")} more for the next` : "";
    const audit = progress.audit ? `, ${progress.audit} more for the audit` : "";
    parts.push(`Round ${progress.round}: ${done} of ${counted(progress.size, "")}`.trimEnd() + next + audit);
  }
  parts.push(counted(progress.labels + changes.all, "in all"), `${progress.not_in_model.toLocaleString("en")} not yet in the model`);
  if (progress.budget) parts.push(`budget ${progress.budget.toLocaleString("en")}`);
  return parts.join(" · ");
}

// Labels per class: [{ name, count }], of many classes those with the most labels; and what is to be said of the others.
function perClass(progress, changes, classes) {
  if (progress.labels + changes.all <= 0) return { shown: [], rest: "" };
  const counts = inOrder(classes)
    .map((each) => ({ name: each.name, retired: each.retired, count: (progress.per_class[each.index] ?? 0) + (changes.classes.get(each.index) ?? 0) }))
    .filter(({ retired, count }) => !retired || count > 0);
  if (classes.length <= CLASSES_ON_LINE) return { shown: counts, rest: "" };
  const labeled = counts.filter((each) => each.count > 0).sort((a, b) => b.count - a.count);
  const [others, without] = [labeled.length - CLASSES_ON_LINE, counts.length - labeled.length];
  const rest = [others > 0 ? `${others} more with fewer` : "", without ? `${without} without a label` : ""].filter(Boolean).join(", ");
  return { shown: labeled.slice(0, CLASSES_ON_LINE), rest };
}

const minutesWords = (minutes) => (minutes < 1 ? "less than a minute" : minutes < 90 ? `about ${Math.round(minutes)} min` : `about ${(minutes / 60).toFixed(1)} h`);

// Of the suggestions that were wrong on purpose.
const acceptedLine = ({ wrong_suggestions: seeded }) =>
  (seeded ? `You accepted ${seeded.accepted} of ${seeded.shown} wrong ${seeded.shown === 1 ? "suggestion" : "suggestions"}.` : "");

// pace: of pace.js. The time to a goal is work at this pace; breaks come on top, so they are not promised away.
function sessionLine(pace, progress, changes) {
  if (pace === null) return "";
  const speed = `${pace.perMinute < 10 ? pace.perMinute.toFixed(1) : Math.round(pace.perMinute)} labels a minute of work`;
  const parts = [pace.idleMs > IDLE_MS ? `Paused for ${Math.floor(pace.idleMs / 60000)} min; before that ${speed}` : speed];
  const time = (labels, goal) => { if (pace.perMinute > 0 && labels > 0) parts.push(`${minutesWords(labels / pace.perMinute)} to ${goal}`); };
  if (progress.to_target) time(progress.to_target.labels, progress.to_target.goal);
  if (progress.budget) time(progress.budget - progress.labels - changes.all, "the budget");
  return parts.join(" · ");
}
