// Opens a page in the element that Streamlit gives, keeps it over new drawings, and closes it with the last of them.

// open(parent, data): a page with update(data, setStateValue) and close(). Another name is another person's page.
function mount(open) {
  const pages = new WeakMap(); // Streamlit's element -> { page, name, turn }
  return ({ data, parentElement, setStateValue }) => {
    let opened = pages.get(parentElement);
    if (opened && opened.name !== data.name) {
      opened.page.close();
      opened.turn = 0; // no call is its newest any more
      opened = null;
    }
    opened ??= { page: open(parentElement, data), name: data.name, turn: 0 };
    pages.set(parentElement, opened);
    // An older call's cleanup may run after a newer call: only the newest may close the page.
    const turn = (opened.turn += 1);
    opened.page.update(data, setStateValue);
    return () => {
      if (opened.turn !== turn) return;
      opened.page.close();
      pages.delete(parentElement);
    };
  };
}
