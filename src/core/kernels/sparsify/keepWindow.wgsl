// keep[four] gets a bit for each of four elements: 1 where |model − base| (P.minusBase 0: |model|) is among the
// first of selector `outer`, but not of selector `inner` (0xffffffff: none). The nibble is multiplied by P.spread,
// 16^k for model k, and joins what stands there. A thread owns four elements.
@compute @workgroup_size(WG_X, WG_Y, WG_Z)
fn main(@builtin(global_invocation_id) g: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let i = (g.x + g.y * groups.x * WG_X) * 4u;
  if (i >= P.count) { return; }
  var value = model4(i, 0u, 4u);
  if (P.minusBase == 1u) { value -= base4(i, 0u, 4u); }
  let words = bitcast<vec4u>(value) & vec4u(0x7fffffffu);
  let places = vec4u(i) + vec4u(0u, 1u, 2u, 3u);
  var isKept = isAmong(words, places, P.outer);
  if (P.inner != 0xffffffffu) { isKept = isKept & !isAmong(words, places, P.inner); }
  keep[i >> 2u] |= dot(vec4u(isKept), vec4u(1u, 2u, 4u, 8u)) * P.spread;
}

fn isAmong(words: vec4u, places: vec4u, selector: u32) -> vec4<bool> {
  let least = vec4u(picks[selector * 4u]);
  let end = vec4u(picks[selector * 4u + 3u]);
  return (words > least) | ((words == least) & (places < end));
}
