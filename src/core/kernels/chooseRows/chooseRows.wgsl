// out[p] = base[p] + coefficients[c] rows_[c, p] with c = choice[p] − 1, base[p] alone where there is no such row; in the
// stored type. `choice` holds a byte per element, four in a word, the lowest first.
@compute @workgroup_size(WG_X, WG_Y, WG_Z)
fn main(@builtin(global_invocation_id) g: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let word = g.x + g.y * groups.x * WG_X;
  let i = word * 4u;
  if (i >= P.count) { return; }
  let chosen = (vec4u(choice[word]) >> vec4u(0u, 8u, 16u, 24u)) & vec4u(255u);
  var value = base4(i, 0u, 4u);
  for (var k = 0u; k < P.rows; k++) {
    let moved = value + coefficients[k] * rows_4(k * P.stride, i, P.count);
    value = select(value, moved, chosen == vec4u(k + 1u));
  }
  put_out4(i, 0u, 4u, value);
}
