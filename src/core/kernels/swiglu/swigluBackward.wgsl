// dgate = dy · up · σ(1 + gate (1 − σ)),  dup = dy · silu(gate),  σ = 1 / (1 + e^-gate).
@compute @workgroup_size(WG_X, WG_Y, WG_Z)
fn main(@builtin(global_invocation_id) g: vec3u) {
  let i = g.x * 4u;
  let t = g.y;
  if (i >= P.I || t >= P.T) { return; }
  let row = t * 2u * P.I;
  let gate = x4(row, i, P.I);
  let up = x4(row + P.I, i, P.I);
  let upstream = dy4(t * P.I, i, P.I);
  let sigma = vec4f(1.0) / (vec4f(1.0) + exp(-gate));
  put_dx4(row, i, P.I, upstream * up * sigma * (vec4f(1.0) + gate * (vec4f(1.0) - sigma)));
  put_dx4(row + P.I, i, P.I, upstream * gate * sigma);
}
