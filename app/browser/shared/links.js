// The link within LabelLoop that a plain click is on; null for any other click.
function pageLinkOf(event) {
  if (event.button !== 0 || event.ctrlKey || event.metaKey || event.shiftKey || event.altKey) return null;
  const link = event.composedPath().find((node) => node.tagName === "A" && node.href);
  const isPage = link && link.origin === window.location.origin && !link.target && !link.hasAttribute("download");
  return isPage ? link : null;
}
