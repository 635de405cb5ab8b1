// dgate = dy · up · σ (1 + gate s' (1 − σ)),  dup = dy · gate σ,  σ = 1 / (1 + e^-s) and s as in gatedUnit.wgsl.
@compute @workgroup_size(WG_X, WG_Y, WG_Z)
fn main(@builtin(global_invocation_id) g: vec3u) {
  let i = g.x * 4u;
  let t = g.y;
  if (i >= P.I || t >= P.T) { return; }
  let row = t * 2u * P.I;
  let gate = x4(row, i, P.I);
  let up = x4(row + P.I, i, P.I);
  let upstream = dy4(t * P.I, i, P.I);
  var s = gate;
  var slope = vec4f(1.0);
  if (P.gelu == 1u) {
    s = 1.5957691216057308 * gate * (1.0 + 0.044715 * gate * gate);
    slope = 1.5957691216057308 * (1.0 + 0.134145 * gate * gate);
  }
  let sigma = vec4f(1.0) / (vec4f(1.0) + exp(-s));
  put_dx4(row, i, P.I, upstream * up * sigma * (vec4f(1.0) + gate * slope * (vec4f(1.0) - sigma)));
  put_dx4(row + P.I, i, P.I, upstream * gate * sigma);
}
