// The draw of element i, pcg((P.start + i) xor salt), against the last draw that is kept at its rank by |model − base| in its row of P.width
// elements: rank 0 is the smallest, of equals the higher index comes first. table (2, width): last draws, ascending,
// and the bits of 1/p. P.asFactors 0: bits in keep[four] as in keepWindow. P.asFactors 1: keep[P.offset + i] = bits of 1/p
// where kept, of 0 elsewhere. Ranks are counted against the whole row, and not where the draw decides for every rank.
// A thread owns four elements, from four P.begin on.
@compute @workgroup_size(WG_X, WG_Y, WG_Z)
fn main(@builtin(global_invocation_id) g: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let i = (P.begin + g.x + g.y * groups.x * WG_X) * 4u;
  if (i >= min(P.count, P.end * 4u)) { return; }
  let places = vec4u(i) + vec4u(0u, 1u, 2u, 3u);
  let draws = pcg((places + vec4u(P.start)) ^ vec4u(P.salt));
  let rowBegin = places / P.width * P.width;
  let rowEnd = rowBegin + P.width;
  var rank = vec4u();
  if (P.asFactors == 1u || any((draws > vec4u(table[0])) & (draws <= vec4u(table[P.width - 1u])))) {
    let own = magnitudes(i);
    for (var j = rowBegin.x & 0xfffffffcu; j < min(rowEnd.w, P.count); j += 4u) {
      let others = magnitudes(j);
      for (var lane = 0u; lane < 4u; lane++) {
        let other = vec4u(others[lane]);
        let place = vec4u(j + lane);
        let isBelow = (other < own) | ((other == own) & (place > places));
        rank += vec4u(isBelow & (place >= rowBegin) & (place < rowEnd));
      }
    }
  }
  // Places past the end have no rank.
  rank = min(rank, vec4u(P.width - 1u));
  let last = vec4u(table[rank.x], table[rank.y], table[rank.z], table[rank.w]);
  let isKept = (draws <= last) & (places < vec4u(P.count));
  if (P.asFactors == 1u) {
    for (var lane = 0u; lane < 4u; lane++) {
      keep[P.offset + i + lane] = select(0u, table[P.width + rank[lane]], isKept[lane]);
    }
    return;
  }
  keep[i >> 2u] |= dot(vec4u(isKept), vec4u(1u, 2u, 4u, 8u)) * P.spread;
}

fn magnitudes(i: u32) -> vec4u {
  return bitcast<vec4u>(model4(i, 0u, 4u) - base4(i, 0u, 4u)) & vec4u(0x7fffffffu);
}

// PCG hash (Jarzynski & Olano 2020), as in src/core/tensors/random.ts.
fn pcg(value: vec4u) -> vec4u {
  let state = value * 747796405u + 2891336453u;
  let word = ((state >> ((state >> vec4u(28u)) + 4u)) ^ state) * 277803737u;
  return (word >> vec4u(22u)) ^ word;
}
