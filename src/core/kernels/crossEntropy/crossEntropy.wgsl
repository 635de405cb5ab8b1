// loss[r] = log Σ_v e^logits[r, v] − logits[r, target]; with P.gradient 1 the logits are replaced by
// scale[r] · (softmax − onehot), and padding columns by zero. P.cap above 0 says that the logits were soft-capped: the
// gradient is then that into what was capped, times 1 − (logit / cap)². A thread owns one row.
@compute @workgroup_size(WG_X, WG_Y, WG_Z)
fn main(@builtin(global_invocation_id) g: vec3u) {
  let r = g.x + g.y * P.rowsPerY;
  if (g.x >= P.rowsPerY || r >= P.R) { return; }
  let row = r * P.stride;
  var largest = vec4f(-3.0e38);
  for (var v = 0u; v < P.V; v += 4u) { largest = max(largest, select(vec4f(-3.0e38), logits4(row, v, P.V), inside(v))); }
  let top = max(max(largest.x, largest.y), max(largest.z, largest.w));
  var sums = vec4f();
  for (var v = 0u; v < P.V; v += 4u) { sums += select(vec4f(), exp(logits4(row, v, P.V) - top), inside(v)); }
  let total = dot(sums, vec4f(1.0));
  let goal = targets[r];
  loss[r] = log(total) - (logits4(row, goal & ~3u, P.V)[goal & 3u] - top);
  if (P.gradient == 0u) { return; }
  let factor = scale[r];
  for (var v = 0u; v < P.stride; v += 4u) {
    let logit = logits4(row, v, P.V);
    let share = exp(logit - top) / total;
    let hit = select(vec4f(), vec4f(1.0), vec4u(v) + vec4u(0u, 1u, 2u, 3u) == vec4u(goal));
    var gradient = factor * (share - hit);
    if (P.cap > 0.0) { gradient *= (1.0 - logit / P.cap) * (1.0 + logit / P.cap); }
    put_logits4(row, v, P.stride, select(vec4f(), gradient, inside(v)));
  }
}

fn inside(v: u32) -> vec4<bool> { return vec4u(v) + vec4u(0u, 1u, 2u, 3u) < vec4u(P.V); }
