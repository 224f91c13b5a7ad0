// A sample as the server sends it, as something to look at. Each kind is one function in KINDS, in a file of its own, from
// what the server sent to
//
//   element   what is put on the page
//   state     "loading", "ready" or "failed"; `changed` is called when it changes
//   small()   another element of it, for a strip of many
//   full()    all of it, where an element among many shows a part only; else null
//   size      { width, height } of an image, in its own pixels; else nothing: then it is not zoomed
//
// and SHAPES says how a cell of the grid should be: `wide` times as wide as high, from `smallest` to `largest` px high,
// and the first grid has as many as are at least `comfortable`.

const KINDS = {};
const SHAPES = {};

// sent: { kind, ... }; with nothing but its kind where there is nothing to see, and whoever cannot see a sample must not
// label it. name: what the element is, for those who hear it.
function openContent(sent, changed, name = "") {
  return KINDS[sent.kind](sent, changed, name);
}

const shapeOf = (kind) => SHAPES[kind];
