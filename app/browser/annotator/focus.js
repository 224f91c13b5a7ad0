// The dialog that asks for a name is there to be typed into.
export default function () {
  const field = document.querySelector('[role="dialog"] input');
  if (field !== null && document.activeElement !== field) field.focus();
}
