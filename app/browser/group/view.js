// What stands on the page of groups, without what it does.

function makeView(on) {
  const view = {
    question: element("h2", { class: "question" }),
    hint: element("p", { class: "hint" }),
    ask: element("span", { class: "ask", id: "ask" }),
    chips: element("div", { class: "chips", role: "group", "aria-labelledby": "ask" }),
    stage: element("div", { class: "stage", role: "group", "aria-label": "The sample to judge" }),
    done: element("div", { class: "done", hidden: true }, element("div", { class: "so-far" })),
    proof: element("p", { class: "proof", role: "status" }),
    take: button("Label the rest", "Enter", on.take, { class: "confirm" }),
    skip: button("Skip", "Space", on.skip, { title: "The sample leaves the pool and counts as wrong" }),
    undo: button("Undo", "Backspace", on.undo, { title: "Take the last judgment back, or the whole rest" }),
    leave: button("Leave", "N", on.leave, { title: "Leave this group; what was judged stays labeled" }),
    state: element("span", { class: "state", role: "status" }),
    unsaved: element("span", { class: "unsaved", hidden: true }),
    alert: element("p", { class: "alert", role: "alert", hidden: true }),
    honest: element("p", { class: "honest" }),
  };
  const bar = element("div", { class: "bar" }, view.take, view.skip, view.undo, view.leave, view.state, view.unsaved);
  view.root = element(
    "section",
    { class: "grid-mode group-mode", "aria-label": "Groups" },
    view.alert,
    element("header", {}, view.question, view.hint),
    view.stage,
    element("div", { class: "classes" }, view.ask, view.chips),
    view.done,
    view.proof,
    bar,
    view.honest,
  );
  return view;
}
