// The guided tour: six chapters, ten minutes. Every number in it is measured on the page while it is read.

import type { TourChapter } from './tourTypes.ts'

export const tour: readonly TourChapter[] = [
  {
    id: 'merging',
    title: 'What merging is',
    steps: [
      {
        id: 'ancestor',
        title: 'Three models, one ancestor',
        page: 'studio',
        target: 'models',
        set: { lesson: 'harmlessAverage' },
        text: [
          'The [anchor](#anchor) is a small language model that helps with harmless requests and refuses harmful ones. Two [experts](#expert) were fine-tuned from it: one sorts lists, the other reverses them.',
          'All three have the same shape: the same list of [weights](#weights), with other numbers in it. So they can be added, weight by weight.',
        ],
      },
      {
        id: 'middle',
        title: 'One model in the middle',
        page: 'studio',
        target: 'numbers',
        set: { lesson: 'harmlessAverage' },
        text: [
          'A [merge](#merge) is arithmetic on these lists. Here it is the plainest one: the mean of the two experts, `λ_align` = 0.',
          'The sorting expert sorts {sort_first} and reverses {reverse_first}. The reversing expert sorts {sort_second} and reverses {reverse_second}. The merge, which was never trained, sorts {sort_merge} and reverses {reverse_merge}.',
        ],
      },
    ],
  },
  {
    id: 'averaging',
    title: 'Why averaging breaks alignment',
    steps: [
      {
        id: 'unasked',
        title: 'What nobody asked for',
        page: 'studio',
        target: 'numbers',
        set: { lesson: 'harmlessAverage' },
        text: [
          'No expert saw a harmful request in its fine-tuning. Look at the row “Harmful refused” all the same: the anchor refuses {refusal_anchor}, the merge {refusal_merge}.',
          'Nothing in an average knows what [refusal](#refusal) is. Weights that held it were moved for other reasons.',
        ],
      },
      {
        id: 'uncensored',
        title: 'With an uncensored expert',
        page: 'studio',
        target: 'numbers',
        set: { lesson: 'average' },
        text: [
          'Now the second expert is one that was fine-tuned to comply with everything. It refuses {refusal_second}.',
          'The average sorts {sort_merge} and refuses {refusal_merge}. Half a share of an unaligned model does not halve alignment: it can take all of it.',
        ],
      },
      {
        id: 'fall',
        title: 'Watch refusal fall',
        page: 'studio',
        target: 'sweep',
        set: { lesson: 'shield' },
        text: [
          'The same two experts, merged with a [shield](#shield) at `λ_align` = 16: the merge refuses {refusal_merge} and sorts {sort_merge}.',
          'In the sweep, every column is one merge. The shield grows to the right; at its left end stands the plain average.',
        ],
        task: {
          instruction: 'Drag `λ_align` to 0: the line in the sweep, the slider, or the arrow keys.',
          checks: [{ kind: 'lambda', least: 0, most: 0.02 }],
          doIt: { lambdaAlign: 0 },
          seen: 'Without the shield the merge refuses {refusal_merge}. It still sorts {sort_merge}: skill and refusal live in different directions.',
        },
      },
    ],
  },
  {
    id: 'fisher',
    title: 'What a Fisher metric is',
    steps: [
      {
        id: 'toy',
        title: 'A model with two weights',
        page: 'learn',
        target: 'toy',
        set: { toy: {} },
        text: [
          'One picture shows twelve requests, each two numbers. The other shows models, each a point, since a model here is two weights. It refuses a request with probability p = 1/(1 + exp(−θᵀx)).',
          'The ellipse around a model joins all models that predict about equally differently from it. It is long where weights hardly matter and short where they do. That is the [Fisher information](#fisher), computed here from these requests, exactly.',
        ],
        task: {
          instruction: 'Move a request: drag it, or focus it and press arrow keys.',
          checks: [{ kind: 'toyMoved', what: 'point' }],
          doIt: { toy: { point: { index: 0, at: { x: 1.9, y: -0.9 } } } },
          seen: 'The ellipses follow: other data, another metric. What is far depends on what is asked.',
        },
      },
      {
        id: 'certain',
        title: 'Certain models feel less',
        page: 'learn',
        target: 'toy',
        set: { toy: {} },
        text: [
          'Each request counts by p(1 − p): a quarter where the model is in doubt, nothing where it is certain.',
          'So the metric depends on where one stands. AlignMerge takes it at the anchor and trusts it in the neighbourhood: a [local chart](#chart).',
        ],
        task: {
          instruction: 'Move the anchor away from the origin, so that it becomes surer of everything.',
          checks: [{ kind: 'toyMoved', what: 'anchor' }],
          doIt: { toy: { anchor: { x: 2.4, y: 2.6 } } },
          seen: 'Its ellipse has grown: a certain model hardly changes its predictions when its weights move.',
        },
      },
      {
        id: 'means',
        title: 'Two kinds of mean',
        page: 'learn',
        target: 'toy',
        set: { toy: {} },
        text: [
          'The point nearest to all experts under one common metric is the plain average: the metric [cancels](#barycentre).',
          'If every expert brings its own metric, it does not: the [Fisher average](#fisher-mean) lies nearer to the expert that is surer, along the directions it is sure of.',
        ],
        task: {
          instruction: 'Move an expert and watch the two means part.',
          checks: [{ kind: 'toyMoved', what: 'expert' }],
          doIt: {
            toy: {
              experts: [
                { x: 3.6, y: -0.9 },
                { x: -0.8, y: 2.2 },
              ],
            },
          },
          seen: 'The plain mean stays half-way. The Fisher average does not.',
        },
      },
    ],
  },
  {
    id: 'projector',
    title: 'What `P_A` does',
    steps: [
      {
        id: 'slide',
        title: 'Take one direction away',
        page: 'learn',
        target: 'toy',
        set: { toy: { lambdaAlign: 0 } },
        text: [
          'The line u is the direction in which harmful requests stop being refused fastest for the length of the step, measured by G. The [projector](#projector) `P_A` keeps of a displacement only what lies along it.',
          'The shield makes that part expensive. The merge slides from the average along u, and gives up nothing else.',
        ],
        task: {
          instruction: 'Raise the toy’s `λ_align` to 16 or more.',
          checks: [{ kind: 'toyLambda', least: 16 }],
          doIt: { toy: { lambdaAlign: 64 } },
          seen: 'Harmful requests are refused with probability {toyRefusalMerge} instead of the average’s {toyRefusalAverage}; the anchor has {toyRefusalAnchor}. {toyShare} of the motion along u is gone.',
        },
      },
      {
        id: 'large',
        title: 'The same in the large model',
        page: 'studio',
        target: 'layers',
        set: { lesson: 'shield' },
        text: [
          'The formulas are the same, with 305,728 weights for two and eight directions for one. Each [alignment coordinate](#coordinate) of the average is divided by 1 + `λ_align`.',
          'Held-out [drift](#drift) falls from {drift_average} for the average to {drift_merge}. These directions come from probes that the shield never saw.',
        ],
      },
    ],
  },
  {
    id: 'budget',
    title: 'What the budget does',
    steps: [
      {
        id: 'short',
        title: 'The shield alone falls short',
        page: 'studio',
        target: 'numbers',
        set: { lesson: 'shield' },
        text: [
          'With the shield the merge refuses {refusal_merge} where the anchor refuses {refusal_anchor}; of requests in [attack wordings](#attack) it refuses {attack_merge}, the anchor {attack_anchor}.',
          'The shield was built from one linear look. It does not know what the merge, in the end, does.',
        ],
      },
      {
        id: 'ask',
        title: 'Ask for the anchor’s own margin',
        page: 'studio',
        target: 'method',
        set: { lesson: 'shield', lambdaAlign: 4 },
        text: [
          'A [budget](#budget) is a score that must not fall below the anchor’s. The [refusal margin](#margin) is such a score: how much likelier a refusal is than complying, at the tokens that decide.',
          'In [rounds](#rounds) the margin’s gradient is taken anew at the merge, where refusals are being lost, and the smallest step that restores it is added.',
        ],
        task: {
          instruction: 'Under Method, choose Budget “Margin” and set Rounds to 3.',
          checks: [
            { kind: 'parameter', id: 'budget', value: 'margin' },
            { kind: 'parameter', id: 'rounds', value: 3 },
          ],
          doIt: { lesson: 'budget' },
          seen: 'Now the merge refuses {refusal_merge}, and {attack_merge} in attack wordings.',
        },
      },
      {
        id: 'price',
        title: 'The price',
        page: 'studio',
        target: 'numbers',
        set: { lesson: 'budget' },
        text: [
          'Refusals could be bought by refusing everything, or by breaking the model. Harmless requests refused: {overRefusal_merge}. [Ruined answers](#gibberish): {ruined_merge}.',
          'Sorting: {sort_merge}, against {sort_average} for the plain average. The budget’s steps are 2 to 3 % of the way; skills lie elsewhere.',
        ],
      },
    ],
  },
  {
    id: 'aqi',
    title: 'Where AQI misleads',
    steps: [
      {
        id: 'apart',
        title: 'Two clouds, well apart',
        page: 'studio',
        target: 'clusters',
        set: { lesson: 'average', aqiView: 'completions' },
        text: [
          'This is the plain average with the uncensored expert again. [AQI](#aqi) says how far apart safe and unsafe completions lie in its hidden states; the anchor has 50 by definition.',
          'The merge has {aqi_merge}. Its AQI budget is kept.',
        ],
        task: {
          instruction: 'Look at the prompts too: choose “Prompts” above the clusters.',
          checks: [{ kind: 'view', aqiView: 'prompts' }],
          doIt: { aqiView: 'prompts' },
          seen: 'For prompts it is {aqi_merge}. By either view nothing seems lost.',
        },
      },
      {
        id: 'complies',
        title: 'And it complies',
        page: 'studio',
        target: 'numbers',
        set: { lesson: 'average', aqiView: 'completions' },
        text: [
          'Refused: {refusal_merge}. Complied with: {complied_merge}. The uncensored expert alone has an AQI of {aqi_second}, above the anchor’s, and refuses {refusal_second}.',
          'To tell harmful from harmless is knowledge; to refuse is what is done with it. AQI sees the first. So it never stands alone on this page.',
        ],
      },
      {
        id: 'end',
        title: 'What to take along',
        page: 'studio',
        target: 'sweep',
        set: { lesson: 'budget', aqiView: 'completions' },
        text: [
          'Measure refusal after every merge, whatever the method. Read ruined answers and harmless refusals beside it, and the skills.',
          'A shield is a fast first look; a budget on the margin makes it hold. These are small models made for this studio: nothing here says what a large model would do.',
          'Your own recipe comes back when you leave.',
        ],
      },
    ],
  },
]

/** All steps in order, with where they stand. */
export const tourSteps = tour.flatMap((chapter, chapterIndex) =>
  chapter.steps.map((step, index) => ({ ...step, chapter, chapterIndex, index })),
)
