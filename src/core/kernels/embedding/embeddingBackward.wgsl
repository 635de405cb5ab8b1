// dWeight[group, token, c] += Σ over segments of (scale Σ_t dx[t, c])^power, t over the slot's rows; power 0: of the
// absolute value.
// A slot is one (group, token) pair and belongs to one thread per four channels, which walks the slot's rows
// in order: no atomics, and one answer. Other rows of dWeight are left alone.
@compute @workgroup_size(WG_X, WG_Y, WG_Z)
fn main(@builtin(global_invocation_id) g: vec3u) {
  let c = g.x * 4u;
  let slot = g.y;
  if (c >= P.C || slot >= P.slots) { return; }
  let end = slotStart[slot + 1u];
  var i = slotStart[slot];
  var total = vec4f();
  var sum = vec4f();
  var segment = segmentOf[rows[i]];
  for (; i < end; i++) {
    let t = rows[i];
    if (segmentOf[t] != segment) {
      total += powered(sum);
      sum = vec4f();
      segment = segmentOf[t];
    }
    sum += dx4(t * P.C, c, P.C);
  }
  total += powered(sum);
  let row = slotGroup[slot] * P.outStride + slotToken[slot] * P.C;
  put_dWeight4(row, c, P.C, dWeight4(row, c, P.C) + total);
}

fn powered(sum: vec4f) -> vec4f {
  let scaled = P.scale * sum;
  if (P.power == 2u) { return scaled * scaled; }
  if (P.power == 0u) { return abs(scaled); }
  return scaled;
}
