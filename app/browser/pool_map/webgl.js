// All points in one call, drawn by the graphics card.

const VERTEX = `
attribute vec2 place;
attribute vec4 look;
uniform vec2 center, factor;
uniform float size;
varying vec4 color;
varying float shape;
void main() {
  float faded = step(7.5, look.w);
  shape = look.w - 8.0 * faded;
  color = vec4(look.rgb / 255.0, mix(0.85, 0.15, faded));
  gl_Position = vec4((place - center) * factor, 0.0, 1.0);
  gl_PointSize = size;
}`;
const FRAGMENT = `
precision mediump float;
varying vec4 color;
varying float shape;
void main() {
  vec2 at = abs(gl_PointCoord * 2.0 - 1.0);
  float down = gl_PointCoord.y;
  float edge = dot(at, at);
  if (shape > 4.5) edge = at.x + down;
  else if (shape > 3.5) edge = min(at.x, at.y) * 3.0;
  else if (shape > 2.5) edge = at.x + at.y;
  else if (shape > 1.5) edge = at.x + 1.0 - down;
  else if (shape > 0.5) edge = max(at.x, at.y) * 1.15;
  if (edge > 1.0) discard;
  gl_FragColor = vec4(color.rgb * color.a, color.a);
}`;

function compiled(gl) {
  const program = gl.createProgram();
  for (const [kind, source] of [[gl.VERTEX_SHADER, VERTEX], [gl.FRAGMENT_SHADER, FRAGMENT]]) {
    const shader = gl.createShader(kind);
    gl.shaderSource(shader, source);
    gl.compileShader(shader);
    gl.attachShader(program, shader);
  }
  gl.linkProgram(program);
  return gl.getProgramParameter(program, gl.LINK_STATUS) ? program : null;
}

// Browsers do not always own up to it (failIfMajorPerformanceCaveat), so a scrap of canvas is asked by name.
function hasGraphicsCard() {
  const gl = document.createElement("canvas").getContext("webgl");
  if (!gl) return false;
  const told = gl.getExtension("WEBGL_debug_renderer_info");
  const name = gl.getParameter(told ? told.UNMASKED_RENDERER_WEBGL : gl.RENDERER);
  gl.getExtension("WEBGL_lose_context")?.loseContext();
  return !/swiftshader|llvmpipe|softpipe|software|basic render/i.test(name);
}

// null where the browser has no WebGL. lost(): called when the browser takes it away.
function openWebgl(canvas, lost) {
  const gl = canvas.getContext("webgl", { antialias: false });
  const program = gl && compiled(gl);
  if (!program) return null;
  canvas.addEventListener("webglcontextlost", lost);
  const [places, looks] = [gl.createBuffer(), gl.createBuffer()];
  const uniform = (name) => gl.getUniformLocation(program, name);
  const [center, factor, size] = ["center", "factor", "size"].map(uniform);
  gl.useProgram(program);
  gl.enable(gl.BLEND);
  gl.blendFunc(gl.ONE, gl.ONE_MINUS_SRC_ALPHA);
  const fill = (buffer, values, name, width, kind) => {
    const attribute = gl.getAttribLocation(program, name);
    gl.bindBuffer(gl.ARRAY_BUFFER, buffer);
    gl.bufferData(gl.ARRAY_BUFFER, values, gl.STATIC_DRAW);
    gl.enableVertexAttribArray(attribute);
    gl.vertexAttribPointer(attribute, width, kind, false, 0, 0);
  };
  return {
    name: "webgl",
    setPlaces: (values) => fill(places, values, "place", 2, gl.FLOAT),
    setLooks: (values) => fill(looks, values, "look", 4, gl.UNSIGNED_BYTE),
    draw: (camera, count, pixels) => {
      const ratio = canvas.width / camera.width;
      gl.viewport(0, 0, canvas.width, canvas.height);
      gl.clear(gl.COLOR_BUFFER_BIT);
      gl.uniform2f(center, camera.x, camera.y);
      gl.uniform2f(factor, (2 * camera.scale) / camera.width, (2 * camera.scale) / camera.height);
      gl.uniform1f(size, pixels * ratio);
      if (count) gl.drawArrays(gl.POINTS, 0, count);
    },
    // A browser keeps sixteen and takes the oldest away.
    close: () => {
      canvas.removeEventListener("webglcontextlost", lost);
      gl.getExtension("WEBGL_lose_context")?.loseContext();
    },
  };
}
