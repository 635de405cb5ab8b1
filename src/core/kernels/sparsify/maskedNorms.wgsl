// partial[chunk, 0] = Σ |model − base|^power over the chunk, partial[chunk, 1] the same over elements whose bit is set
// in keep (P.masked 0: all). The host adds chunks in float64. A thread owns one chunk, whole fours.
@compute @workgroup_size(WG_X, WG_Y, WG_Z)
fn main(@builtin(global_invocation_id) g: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let chunk = g.x + g.y * groups.x * WG_X;
  if (chunk >= P.chunks) { return; }
  let end = min((chunk + 1u) * P.chunkSize, P.count);
  var all = vec4f();
  var kept = vec4f();
  for (var i = chunk * P.chunkSize; i < end; i += 4u) {
    var value = abs(model4(i, 0u, 4u) - base4(i, 0u, 4u));
    if (P.power == 2u) { value *= value; }
    all += value;
    var bits = vec4u(1u);
    if (P.masked == 1u) { bits = (vec4u(keep[i >> 2u] >> P.shift) >> vec4u(0u, 1u, 2u, 3u)) & vec4u(1u); }
    kept += value * vec4f(bits);
  }
  partial[chunk * 2u] = dot(all, vec4f(1.0));
  partial[chunk * 2u + 1u] = dot(kept, vec4f(1.0));
}
