
// cap · tanh(x / cap). The device's own tanh may be off by 1e-5, and on some is no number far from zero.
fn soft_cap(x: f32, cap: f32) -> f32 {
  let v = abs(x / cap);
  let e = exp(-2.0 * v);
  // Nearer to zero the difference would cancel; the next term of the series is below 1e-7 there.
  if (v >= 0.1) { return sign(x) * cap * (1.0 - e) / (1.0 + e); }
  return x * (1.0 - v * v * (1.0 / 3.0 - v * v * 2.0 / 15.0));
}
