// Opens the page in the element that Streamlit gives, keeps it over new drawings, and closes it with the last of them.

const pages = new WeakMap(); // Streamlit's element -> what we opened in it

export default function labeler({ data, parentElement, setStateValue }) {
  let page = pages.get(parentElement);
  if (page && page.name !== data.name) {
    page.close();
    page = null;
  }
  if (!page) {
    page = openPage(parentElement, data.name);
    pages.set(parentElement, page);
  }
  // An older call's cleanup may run after a newer call: only the newest may close the page.
  page.turn += 1;
  const mine = page.turn;
  page.update(data, setStateValue);
  return () => {
    if (page.turn !== mine) return;
    page.close();
    pages.delete(parentElement);
  };
}
