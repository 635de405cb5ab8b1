// pooled[s, c] = mean of x[t, c] over spanStart[s] ≤ t < spanEnd[s], into columns of a wider row (one block of
// columns per layer). A thread owns four channels of one span.
@compute @workgroup_size(WG_X, WG_Y, WG_Z)
fn main(@builtin(global_invocation_id) g: vec3u) {
  let c = g.x * 4u;
  let s = g.y;
  if (c >= P.C || s >= P.S) { return; }
  let end = spanEnd[s];
  var sum = vec4f();
  for (var t = spanStart[s]; t < end; t++) { sum += x4(t * P.C, c, P.C); }
  put_pooled4(s * P.stride + P.offset, c, P.C, sum / f32(end - spanStart[s]));
}
