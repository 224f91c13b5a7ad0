// An image: decoded before it is needed, so that showing it is the work of one frame.

SHAPES.image = { wide: 1, smallest: 48, largest: 220, comfortable: 96 }; // a thumb needs 48; beyond 220 a thumbnail is only blur

KINDS.image = ({ address, width, height }, changed, name) => {
  const image = new Image();
  image.decoding = "sync"; // decoded already; asynchronously it would be painted a frame later
  image.draggable = false;
  image.alt = name;
  const made = {
    element: image,
    state: address ? "loading" : "failed",
    small: () => Object.assign(document.createElement("img"), { src: image.src, alt: "", draggable: false }),
    full: () => null,
    size: width && height ? { width, height } : null, // in the image's own pixels
    // The same image with more pixels, once they are there.
    sharpen: (whole) => {
      const better = Object.assign(new Image(), { src: whole });
      better.decode().then(() => { image.src = whole; }, () => {});
    },
  };
  const turn = (state) => { made.state = state; changed(); };
  if (!address) return made;
  image.src = address;
  image.decode().then(() => turn("ready"), () => turn("failed"));
  return made;
};
