
// cap · tanh(x / cap). The device's own tanh may be off by 1e-5, and on some is no number far from zero.
fn soft_cap(x: f32, cap: f32) -> f32 {
  let v = x / cap;
  let e = exp(-2.0 * abs(v));
  if (abs(v) >= 0.25) { return sign(x) * cap * (1.0 - e) / (1.0 + e); }
  let s = v * v;
  return x * (1.0 - s * (1.0 / 3.0 - s * (2.0 / 15.0 - s * (17.0 / 315.0 - s * 62.0 / 2835.0))));
}

// Its derivative, 1 − tanh²(x / cap).
fn soft_cap_slope(x: f32, cap: f32) -> f32 {
  let e = exp(-2.0 * abs(x / cap));
  return 4.0 * e / ((1.0 + e) * (1.0 + e));
}
