// Rotates pairs (i, i + R/2) of every head in place by the token's angle; direction −1 is the transpose, which
// is the backward pass. Dimensions from R on are left alone (partial rotary). A thread owns one pair.
@compute @workgroup_size(WG_X, WG_Y, WG_Z)
fn main(@builtin(global_invocation_id) g: vec3u) {
  let half = P.R / 2u;
  let head = g.x / half;
  let i = g.x % half;
  let t = g.y;
  if (head >= P.heads || t >= P.T) { return; }
  let at = t * P.stride + head * P.D + i;
  let a = x[at];
  let b = x[at + half];
  let c = cosines[t * half + i];
  let s = sines[t * half + i] * P.direction;
  x[at] = a * c - b * s;
  x[at + half] = b * c + a * s;
}
