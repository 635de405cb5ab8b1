// y[t, c] = x[t, c] · r[t] · weight[c] with r[t] = (mean_c x² + eps)^-½, kept for the backward pass.
// A thread owns one row.
@compute @workgroup_size(WG_X, WG_Y, WG_Z)
fn main(@builtin(global_invocation_id) g: vec3u) {
  let t = g.x + g.y * P.rowsPerY;
  if (g.x >= P.rowsPerY || t >= P.T) { return; }
  let row = t * P.C;
  var squares = vec4f();
  for (var c = 0u; c < P.C; c += 4u) {
    let v = x4(row, c, P.C);
    squares += v * v;
  }
  let r = inverseSqrt(dot(squares, vec4f(1.0)) / f32(P.C) + P.epsilon);
  inverseRms[t] = r;
  for (var c = 0u; c < P.C; c += 4u) {
    put_y4(row, c, P.C, x4(row, c, P.C) * r * weight4(0u, c, P.C));
  }
}
