// The card "why this one": the model's doubt and its two parts, the single draws as dots, the nearest labeled samples.

const SVG = "http://www.w3.org/2000/svg";
const DOTS_HEIGHT = 22; // px; the width is the card's
const EDGE = 2; // percent of the width, so that no dot is cut

function vector(tag, attributes) {
  const made = document.createElementNS(SVG, tag);
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
  return made;
}

const nats = (value) => `${value.toFixed(2)} nats`;

function doubtBar({ total, epistemic, aleatoric, most }) {
  const width = (value) => `${Math.max(0, Math.min(100, (100 * value) / most))}%`;
  const bar = element("div", { className: "bar", attributes: { "aria-hidden": "true" } });
  for (const [name, value] of [["epistemic", epistemic], ["aleatoric", aleatoric]]) {
    const part = element("span", { className: name });
    part.style.width = width(value);
    bar.append(part);
  }
  const legend = element("p", { className: "legend" },
    element("span", { className: "epistemic", textContent: `model's doubt ${nats(epistemic)}` }),
    element("span", { className: "aleatoric", textContent: `ambiguous sample ${nats(aleatoric)}` }));
  return [element("p", {}, element("b", { textContent: `Total ${nats(total)}` }), ` of at most ${nats(most)}`), bar, legend];
}

function drawsRow({ name, probs }) {
  const mean = probs.reduce((sum, each) => sum + each, 0) / probs.length;
  const place = (prob) => `${EDGE + (100 - 2 * EDGE) * prob}%`;
  const picture = vector("svg", { height: DOTS_HEIGHT, role: "img" });
  picture.setAttribute("aria-label", `${probs.length} draws for this class, on average ${Math.round(100 * mean)} %`);
  picture.append(vector("line", { class: "axis", x1: place(0), x2: place(1), y1: DOTS_HEIGHT / 2, y2: DOTS_HEIGHT / 2 }));
  probs.forEach((prob, number) => {
    const lane = ((number % 3) - 1) * 5; // dots of one value would hide each other
    picture.append(vector("circle", { cx: place(prob), cy: DOTS_HEIGHT / 2 + lane, r: 2.5 }));
  });
  return element("div", { className: "draws" }, Object.assign(className(name), { title: name }), picture,
    element("span", { textContent: `${Math.round(100 * mean)} %` }));
}

function neighborsRow(neighbors) {
  const each = ({ content, name, similarity }) => element("figure", { title: `${name}, similarity ${similarity.toFixed(2)}` },
    openContent(content, () => {}).small(), className(name, "figcaption"));
  return element("div", { className: "neighbors" }, ...neighbors.map(each));
}

// why: the server's facts about one sample, each of them only where it is known.
function drawWhy(card, isOn, why) {
  card.hidden = !isOn;
  if (!isOn) return;
  const children = [];
  const known = why ?? { missing: ["The reasons are on their way."] };
  if (known.asked) children.push(element("p", { className: "note", textContent: known.asked }));
  if (known.alarm) children.push(element("p", { className: "alert", textContent: known.alarm }));
  if (typeof known.total === "number") children.push(...doubtBar(known));
  if (known.draws?.length) {
    children.push(element("h4", { textContent: `${known.iterations} draws of its answer, 0 to 100 %` }), ...known.draws.map(drawsRow));
  }
  if (known.neighbors?.length) children.push(element("h4", { textContent: "Nearest labeled samples" }), neighborsRow(known.neighbors));
  for (const sentence of known.missing ?? []) children.push(element("p", { className: "note", textContent: sentence }));
  card.replaceChildren(...children);
}
