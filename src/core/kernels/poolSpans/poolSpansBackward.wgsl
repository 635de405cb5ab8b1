// dx[t, c] += dPooled[s, c] / length(s) for every token t of span s. Spans do not overlap, so a thread owns four
// channels of one span and writes its tokens.
@compute @workgroup_size(WG_X, WG_Y, WG_Z)
fn main(@builtin(global_invocation_id) g: vec3u) {
  let c = g.x * 4u;
  let s = g.y;
  if (c >= P.C || s >= P.S) { return; }
  let end = spanEnd[s];
  let share = dPooled4(s * P.stride + P.offset, c, P.C) / f32(end - spanStart[s]);
  for (var t = spanStart[s]; t < end; t++) { put_dx4(t * P.C, c, P.C, dx4(t * P.C, c, P.C) + share); }
}
