// Links to other pages, on a page that goes on talking to the server.
//
// Streamlit (1.67) makes one of two requests that come before the script has begun to run, and keeps the later one's
// page. A message of ours that follows the click on a link is such a later one: while the machine was overloaded, clicks
// were lost. So nothing more is said after the click. What is unsaved is said before: the click waits for it a moment.

const LAST_WORDS_MS = 1500;
const ARRIVAL_MS = 15000; // without the other page for this long, it is opened by its address
const LOOK_AGAIN_MS = 50;

// isSaved(): whether the server has confirmed everything.
function watchLeaving(isSaved) {
  const here = window.location.pathname;
  let address = null; // of the page that was asked for
  let timer = null;
  let isHeld = false;

  const leave = (wanted) => {
    address = wanted;
    clearTimeout(timer);
    timer = setTimeout(() => { if (window.location.pathname === here) window.location.assign(wanted); }, ARRIVAL_MS);
  };

  const linkTo = (event) => {
    const link = pageLinkOf(event);
    return link !== null && link.pathname !== here ? link : null;
  };

  const press = (link, since) => {
    if (!isSaved() && performance.now() - since < LAST_WORDS_MS) {
      timer = setTimeout(press, LOOK_AGAIN_MS, link, since);
      return;
    }
    isHeld = false;
    link.click();
  };

  const onClick = (event) => {
    const link = linkTo(event);
    if (link === null) return;
    if (isHeld || (event.isTrusted && !isSaved())) {
      event.preventDefault();
      event.stopImmediatePropagation();
      if (!isHeld) press(link, performance.now());
      isHeld = true;
      return;
    }
    const page = new URL(link.href);
    page.search ||= window.location.search; // the annotator's name
    leave(page.href);
  };

  const onBack = () => { if (window.location.pathname !== here) leave(window.location.href); };

  window.addEventListener("click", onClick, true);
  window.addEventListener("popstate", onBack);
  return {
    isUnderWay: () => address !== null,
    // Loads this page anew, or the one that was asked for.
    reload: () => {
      if (address === null || window.location.href === address) window.location.reload();
      else window.location.assign(address);
    },
    close: () => {
      clearTimeout(timer);
      window.removeEventListener("click", onClick, true);
      window.removeEventListener("popstate", onBack);
    },
  };
}
