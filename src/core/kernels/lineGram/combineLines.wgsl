// out[p] = baseShare·base[p] + Σ_k coefficients[line(p), k] rows_[k, p], line(p) = firstLine + (p / divisor) % modulus:
// one set of coefficients for every row (divisor = width) or column (modulus = width) of a matrix.
@compute @workgroup_size(WG_X, WG_Y, WG_Z)
fn main(@builtin(global_invocation_id) g: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let p = (g.x + g.y * groups.x * WG_X) * 4u;
  if (p >= P.count) { return; }
  var at = vec4u(p, p + 1u, p + 2u, p + 3u);
  at = (P.firstLine + at / P.divisor % P.modulus) * P.rows;
  var value = vec4f();
  if (P.baseShare != 0.0) { value = P.baseShare * base4(p, 0u, 4u); }
  for (var k = 0u; k < P.rows; k++) {
    let share = vec4f(coefficients[at.x + k], coefficients[at.y + k], coefficients[at.z + k], coefficients[at.w + k]);
    value += share * rows_4(k * P.stride + p, 0u, 4u);
  }
  put_out4(p, 0u, 4u, value);
}
