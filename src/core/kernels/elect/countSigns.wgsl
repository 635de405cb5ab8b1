// partial[chunk, 0] = positive elements of the chunk, partial[chunk, 1] negative ones. A thread owns one chunk, whole
// fours.
@compute @workgroup_size(WG_X, WG_Y, WG_Z)
fn main(@builtin(global_invocation_id) g: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let chunk = g.x + g.y * groups.x * WG_X;
  if (chunk >= P.chunks) { return; }
  let end = min((chunk + 1u) * P.chunkSize, P.count);
  var above = vec4u();
  var below = vec4u();
  for (var i = chunk * P.chunkSize; i < end; i += 4u) {
    let value = x4(i, 0u, 4u);
    above += vec4u(value > vec4f());
    below += vec4u(value < vec4f());
  }
  partial[chunk * 2u] = dot(above, vec4u(1u));
  partial[chunk * 2u + 1u] = dot(below, vec4u(1u));
}
