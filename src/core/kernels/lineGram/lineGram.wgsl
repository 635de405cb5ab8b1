// partial[line, i, j] = Σ_e rows_[i, p(e)] rows_[j, p(e)] with p(e) = line·lineStep + e·step < count, e < length, for
// i and j in blocks of four with j's block not before i's; the rest of partial is left alone.
// A thread owns one line and one block. Sums of 64 are added up, so that long lines lose few digits.
@compute @workgroup_size(WG_X, WG_Y, WG_Z)
fn main(@builtin(global_invocation_id) g: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let thread = g.x + g.y * groups.x * WG_X;
  let line = thread % P.lines;
  let blocks = (P.rows + 3u) / 4u;
  let i = thread / P.lines / blocks * 4u;
  let j = thread / P.lines % blocks * 4u;
  if (i >= P.rows || j < i) { return; }
  var s0 = vec4f(); var s1 = vec4f(); var s2 = vec4f(); var s3 = vec4f();
  for (var start = 0u; start < P.length; start += 64u) {
    var t0 = vec4f(); var t1 = vec4f(); var t2 = vec4f(); var t3 = vec4f();
    for (var e = start; e < min(start + 64u, P.length); e++) {
      let p = line * P.lineStep + e * P.step;
      if (p >= P.count) { break; }
      let x = four(i, p);
      let y = four(j, p);
      t0 += x.x * y; t1 += x.y * y; t2 += x.z * y; t3 += x.w * y;
    }
    s0 += t0; s1 += t1; s2 += t2; s3 += t3;
  }
  store(line, i, j, s0);
  store(line, i + 1u, j, s1);
  store(line, i + 2u, j, s2);
  store(line, i + 3u, j, s3);
}

fn four(row: u32, p: u32) -> vec4f {
  let last = P.rows - 1u;
  return vec4f(
    rows_[row * P.stride + p],
    rows_[min(row + 1u, last) * P.stride + p],
    rows_[min(row + 2u, last) * P.stride + p],
    rows_[min(row + 3u, last) * P.stride + p],
  );
}

fn store(line: u32, i: u32, j: u32, value: vec4f) {
  if (i >= P.rows) { return; }
  for (var lane = 0u; lane < min(4u, P.rows - j); lane++) {
    partial[(line * P.rows + i) * P.rows + j + lane] = value[lane];
  }
}
