// The points as the server sends them once a round: numbers one after another, in base64. One copy is kept in the window,
// so that neither a rerun nor a visit to another page asks for them again.

function bytesOf(base64) {
  const text = atob(base64);
  const bytes = new Uint8Array(text.length);
  for (let place = 0; place < text.length; place += 1) bytes[place] = text.charCodeAt(place);
  return bytes;
}

// Of total samples, the first `scored` were in the pool of the round; the order is that of app/screens/uncertainty_page.
function readPoints({ buffer }, total, scored) {
  let at = 0;
  const next = (Kind, length) => {
    const part = new Kind(buffer, at, length);
    at += part.byteLength;
    return part;
  };
  return {
    total,
    scored,
    ids: next(Int32Array, total),
    places: next(Float32Array, 2 * total), // x, y in -1..1
    measures: [next(Float32Array, scored), next(Float32Array, scored)],
    predictions: next(Uint16Array, scored), // class index
    confidences: next(Uint8Array, scored), // percent
  };
}

// What the map draws, with `labels` (class index, -1: none, -2: skipped); null where the window lacks what was sent before.
function takePoints(data) {
  const kept = (window.labelloopMap ??= {});
  if (data.points !== null) {
    Object.assign(kept, readPoints(bytesOf(data.points), data.total, data.scored), { token: data.token, names: data.names.split("\n") });
  }
  if (data.labels !== null) Object.assign(kept, { labels: new Int16Array(bytesOf(data.labels).buffer), labelsToken: data.labels_token });
  return kept.token === data.token && kept.labelsToken === data.labels_token ? kept : null;
}

// Flags of 0 or 1 as bits, in base64: a hundred thousand take 17 kB.
function packFlags(flags) {
  const bytes = new Uint8Array(Math.ceil(flags.length / 8));
  for (let row = 0; row < flags.length; row += 1) bytes[row >> 3] |= flags[row] << (row & 7);
  let text = "";
  for (let at = 0; at < bytes.length; at += 8192) text += String.fromCharCode(...bytes.subarray(at, at + 8192));
  return btoa(text);
}
