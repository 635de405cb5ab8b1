// token[r] = argmax_v logits[r, v] + noise · Gumbel(seed, row, v). With noise 1 that is one exact sample from
// softmax(logits) (Gumbel-max); with noise 0 the greedy token, the lowest index among equals. A thread owns one row.
@compute @workgroup_size(WG_X, WG_Y, WG_Z)
fn main(@builtin(global_invocation_id) g: vec3u) {
  let r = g.x;
  if (r >= P.R) { return; }
  var best = -3.0e38;
  var winner = 0u;
  let key = pcg(P.seed ^ pcg(P.firstRow + r));
  for (var v = 0u; v < P.V; v++) {
    var score = logits[r * P.stride + v];
    if (P.noise == 1u) {
      // 23 bits and a half, so that u is never 0 or 1 and exact in float32.
      let u = (f32(pcg(key + v) >> 9u) + 0.5) * 1.1920928955078125e-7;
      score -= log(-log(u));
    }
    if (score > best) {
      best = score;
      winner = v;
    }
  }
  token[r] = winner;
}

fn pcg(x: u32) -> u32 {
  let state = x * 747796405u + 2891336453u;
  let word = ((state >> ((state >> 28u) + 4u)) ^ state) * 277803737u;
  return (word >> 22u) ^ word;
}
