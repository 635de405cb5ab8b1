// partial[chunk, i, j] = Σ_p a[i, p] b[j, p] ω[p] over the chunk's p, with ω = 1, w or 1/w (P.mode 0, 1, 2).
// The host adds the chunks in float64, in order. A thread owns a 4 × 4 block of (i, j) in one chunk.
@compute @workgroup_size(WG_X, WG_Y, WG_Z)
fn main(@builtin(global_invocation_id) g: vec3u) {
  let i = g.x * 4u;
  let j = g.y * 4u;
  let chunk = g.z;
  if (i >= P.rowsA || j >= P.rowsB || chunk >= P.chunks) { return; }
  let lastA = P.rowsA - 1u;
  let lastB = P.rowsB - 1u;
  let a0 = i * P.stride;
  let a1 = min(i + 1u, lastA) * P.stride;
  let a2 = min(i + 2u, lastA) * P.stride;
  let a3 = min(i + 3u, lastA) * P.stride;
  let b0 = j * P.stride;
  let b1 = min(j + 1u, lastB) * P.stride;
  let b2 = min(j + 2u, lastB) * P.stride;
  let b3 = min(j + 3u, lastB) * P.stride;
  var s0 = vec4f(); var s1 = vec4f(); var s2 = vec4f(); var s3 = vec4f();
  let end = min((chunk + 1u) * P.chunkSize, P.count);
  for (var p = chunk * P.chunkSize; p < end; p += 4u) {
    let omega = weight_at(p);
    let x = b4(b0, p, P.count) * omega;
    let y = b4(b1, p, P.count) * omega;
    let z = b4(b2, p, P.count) * omega;
    let u = b4(b3, p, P.count) * omega;
    var v = a4(a0, p, P.count); s0 += vec4f(dot(v, x), dot(v, y), dot(v, z), dot(v, u));
    v = a4(a1, p, P.count); s1 += vec4f(dot(v, x), dot(v, y), dot(v, z), dot(v, u));
    v = a4(a2, p, P.count); s2 += vec4f(dot(v, x), dot(v, y), dot(v, z), dot(v, u));
    v = a4(a3, p, P.count); s3 += vec4f(dot(v, x), dot(v, y), dot(v, z), dot(v, u));
  }
  store(chunk, i, j, s0);
  store(chunk, i + 1u, j, s1);
  store(chunk, i + 2u, j, s2);
  store(chunk, i + 3u, j, s3);
}

// Rows are padded to fours with zeros, so a full load past `count` adds nothing but must not divide by zero.
fn weight_at(p: u32) -> vec4f {
  if (P.mode == 0u) { return vec4f(1.0); }
  let v = w4(0u, p, P.count);
  if (P.mode == 1u) { return v; }
  return select(vec4f(), vec4f(1.0) / v, vec4u(p) + vec4u(0u, 1u, 2u, 3u) < vec4u(P.count));
}

fn store(chunk: u32, i: u32, j: u32, value: vec4f) {
  if (i >= P.rowsA) { return; }
  let row = (chunk * P.rowsA + i) * P.rowsB;
  for (var lane = 0u; lane < 4u; lane++) {
    if (j + lane < P.rowsB) { partial[row + j + lane] = value[lane]; }
  }
}
