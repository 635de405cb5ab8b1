// out = base + scale[pattern] Σ_chosen c_k δ_k with δ_k = (m_k − base) · kept_k, for up to four models a dispatch; the
// pattern has bit k where model k is chosen. P.choice 0: every model. 1: election, models whose e_k δ_k has the sign
// of Σ e_k δ_k over all models (P.zeroSign where that is zero). 2: models with |δ_k| > P.epsilon.
// coefficients: c (P.all), e (P.all), scale (2^P.all). P.keepMode 0: all kept, 1: bits in keep[four], 2: factors in
// keep[model, i]. More models than four: carry has three planes of P.count, Σ e δ (stage 0 alone), Σ c δ, pattern.
// NaN is chosen wherever it stands, so that it is seen in the result. A thread owns four elements.
@compute @workgroup_size(WG_X, WG_Y, WG_Z)
fn main(@builtin(global_invocation_id) g: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let i = (g.x + g.y * groups.x * WG_X) * 4u;
  if (i >= P.count) { return; }
  let origin = base4(i, 0u, 4u);
  var delta = array<vec4f, 4>();
  delta[0] = (m04(i, 0u, 4u) - origin) * kept(P.first, i);
  if (P.models > 1u) { delta[1] = (m14(i, 0u, 4u) - origin) * kept(P.first + 1u, i); }
  if (P.models > 2u) { delta[2] = (m24(i, 0u, 4u) - origin) * kept(P.first + 2u, i); }
  if (P.models > 3u) { delta[3] = (m34(i, 0u, 4u) - origin) * kept(P.first + 3u, i); }

  var total = vec4f();
  if (P.readTotal == 1u) { total = carry4(i, 0u, 4u); }
  if (P.addTotal == 1u) {
    for (var k = 0u; k < P.models; k++) { total += coefficients[P.all + P.first + k] * delta[k]; }
  }
  if (P.stage == 0u) {
    put_carry4(i, 0u, 4u, total);
    return;
  }

  let elected = select(select(vec4f(P.zeroSign), vec4f(-1.0), total < vec4f()), vec4f(1.0), total > vec4f());
  var sum = vec4f();
  var pattern = vec4u();
  if (P.continued == 1u) {
    sum = carry4(P.count + i, 0u, 4u);
    pattern = vec4u(carry4(2u * P.count + i, 0u, 4u));
  }
  for (var k = 0u; k < P.models; k++) {
    var isOut = vec4<bool>();
    if (P.choice == 1u) { isOut = coefficients[P.all + P.first + k] * delta[k] * elected <= vec4f(); }
    if (P.choice == 2u) { isOut = abs(delta[k]) <= vec4f(P.epsilon); }
    sum += select(coefficients[P.first + k] * delta[k], vec4f(), isOut);
    pattern |= select(vec4u(1u << (P.first + k)), vec4u(), isOut);
  }
  if (P.finish == 0u) {
    put_carry4(P.count + i, 0u, 4u, sum);
    put_carry4(2u * P.count + i, 0u, 4u, vec4f(pattern));
    return;
  }
  let at = vec4u(2u * P.all) + pattern;
  let scale = vec4f(coefficients[at.x], coefficients[at.y], coefficients[at.z], coefficients[at.w]);
  put_out4(i, 0u, 4u, origin + scale * sum);
}

fn kept(model: u32, i: u32) -> vec4f {
  if (P.keepMode == 1u) {
    return vec4f((vec4u(keep[i >> 2u] >> (4u * model)) >> vec4u(0u, 1u, 2u, 3u)) & vec4u(1u));
  }
  if (P.keepMode == 2u) {
    let at = model * P.count + i;
    return bitcast<vec4f>(vec4u(keep[at], keep[at + 1u], keep[at + 2u], keep[at + 3u]));
  }
  return vec4f(1.0);
}
