// With x̂ = x r and u = (offset + weight) ∘ dy: dx[t] = r (u − x̂ · mean_c(u x̂)), added to what is there when
// P.accumulate is 1. The gain's gradient is Σ_t dy x̂, so dy x̂ is written out for columnSum. A thread owns one row.
@compute @workgroup_size(WG_X, WG_Y, WG_Z)
fn main(@builtin(global_invocation_id) g: vec3u) {
  let t = g.x + g.y * P.rowsPerY;
  if (g.x >= P.rowsPerY || t >= P.T) { return; }
  let row = t * P.C;
  let r = inverseRms[t];
  var products = vec4f();
  for (var c = 0u; c < P.C; c += 4u) {
    let normal = x4(row, c, P.C) * r;
    let upstream = dy4(row, c, P.C);
    put_gainProduct4(row, c, P.C, upstream * normal);
    products += upstream * (P.offset + weight4(0u, c, P.C)) * normal;
  }
  let mean = dot(products, vec4f(1.0)) / f32(P.C);
  for (var c = 0u; c < P.C; c += 4u) {
    let normal = x4(row, c, P.C) * r;
    let u = dy4(row, c, P.C) * (P.offset + weight4(0u, c, P.C));
    var value = r * (u - normal * mean);
    if (P.accumulate == 1u) { value += dx4(row, c, P.C); }
    put_dx4(row, c, P.C, value);
  }
}
