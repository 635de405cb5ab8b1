// One step of AdamW (Loshchilov & Hutter 1711.05101): with g = gradScale · gradient,
// m ← β₁m + (1−β₁)g, v ← β₂v + (1−β₂)g², w ← w − lr (m·c₁ / (√(v·c₂) + ε) + decay·w), c = 1/(1−β^step).
@compute @workgroup_size(WG_X, WG_Y, WG_Z)
fn main(@builtin(global_invocation_id) g: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let i = (g.x + g.y * groups.x * WG_X) * 4u;
  if (i >= P.count) { return; }
  let gradient = grad4(i, 0u, P.count - i) * P.gradScale;
  let m = mix(gradient, first4(i, 0u, P.count - i), P.beta1);
  let v = mix(gradient * gradient, second4(i, 0u, P.count - i), P.beta2);
  let w = weights4(i, 0u, P.count - i);
  put_first4(i, 0u, P.count - i, m);
  put_second4(i, 0u, P.count - i, v);
  let step = m * P.correction1 / (sqrt(v * P.correction2) + vec4f(P.epsilon));
  put_weights4(i, 0u, P.count - i, w - P.rate * (step + P.decay * w));
}
