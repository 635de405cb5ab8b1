// folded[selector, digit] = Σ over copies of histogram[selector, copy, digit], and the histogram is zero again.
// A thread owns one digit of one selector.
@compute @workgroup_size(WG_X, WG_Y, WG_Z)
fn main(@builtin(global_invocation_id) g: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let i = g.x + g.y * groups.x * WG_X;
  let bins = 1u << P.bits;
  if (i >= P.selectors * bins) { return; }
  let start = (i / bins) * P.copies * bins + i % bins;
  var sum = 0u;
  for (var copy = 0u; copy < P.copies; copy++) {
    sum += histogram[start + copy * bins];
    histogram[start + copy * bins] = 0u;
  }
  folded[i] = sum;
}
