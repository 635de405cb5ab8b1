// values = (all Σ x² − (Σ x)²) / all² with x_k = m_k − pivot, up to four models a dispatch: the variance of the models,
// zero where they are all equal, and divided last, so that equal spreads of whole numbers stay equal. Before the last dispatch carry (2, P.count) takes Σ x and Σ x². With the pivot one of
// the models the difference loses no more than a factor of P.all. A thread owns four elements.
@compute @workgroup_size(WG_X, WG_Y, WG_Z)
fn main(@builtin(global_invocation_id) g: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let i = (g.x + g.y * groups.x * WG_X) * 4u;
  if (i >= P.count) { return; }
  let origin = pivot4(i, 0u, 4u);
  var sum = vec4f();
  var squares = vec4f();
  if (P.continued == 1u) {
    sum = carry4(i, 0u, 4u);
    squares = carry4(P.count + i, 0u, 4u);
  }
  var x = m04(i, 0u, 4u) - origin;
  sum += x;
  squares += x * x;
  if (P.models > 1u) { x = m14(i, 0u, 4u) - origin; sum += x; squares += x * x; }
  if (P.models > 2u) { x = m24(i, 0u, 4u) - origin; sum += x; squares += x * x; }
  if (P.models > 3u) { x = m34(i, 0u, 4u) - origin; sum += x; squares += x * x; }
  if (P.finish == 0u) {
    put_carry4(i, 0u, 4u, sum);
    put_carry4(P.count + i, 0u, 4u, squares);
    return;
  }
  let all = f32(P.all);
  put_values4(i, 0u, 4u, max(vec4f(), (all * squares - sum * sum) / (all * all)));
}
