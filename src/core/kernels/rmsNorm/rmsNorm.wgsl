// y[t, c] = x[t, c] · r[t] · (offset + weight[c]) with r[t] = (mean_c x² + eps)^-½, kept for the backward pass; with
// P.addResidual 1 added to residual[t, c]. A thread owns one row.
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
    var value = x4(row, c, P.C) * r * (P.offset + weight4(0u, c, P.C));
    if (P.addResidual == 1u) { value += residual4(row, c, P.C); }
    put_y4(row, c, P.C, value);
  }
}
