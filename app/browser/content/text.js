// A text: always as text, never as markup. Its direction is its own; its language is not guessed.

SHAPES.text = { wide: 2.4, smallest: 84, largest: 200, comfortable: 96 }; // four lines of thirty characters are read at a glance

KINDS.text = ({ text, left_out: leftOut }, changed, name) => {
  const more = leftOut ? `\n… ${leftOut.toLocaleString("en")} characters more` : "";
  const make = (className) => {
    const box = document.createElement("div");
    box.className = className;
    box.dir = "auto";
    box.textContent = `${text}${more}`;
    return box;
  };
  const element = make("text");
  if (name) {
    element.tabIndex = 0; // a long one is scrolled by the keys that scroll
    element.setAttribute("role", "document");
    element.setAttribute("aria-label", name);
  }
  const isThere = typeof text === "string";
  return { element, state: isThere ? "ready" : "failed", small: () => make("text small"), full: () => make("text") };
};
