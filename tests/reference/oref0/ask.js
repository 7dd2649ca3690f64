// Answers questions on stdin, one JSON object a line, with the package oref0 as it is; an answer a line comes back.
// node ask.js FOLDER, where FOLDER holds node_modules/oref0. A question names what is asked beside its arguments.

const path = require('path')
const readline = require('readline')

const from = (name) => require(path.join(process.argv[2], 'node_modules', 'oref0', 'lib', name))
const determine = from('determine-basal/determine-basal')
const absorbed = from('determine-basal/cob')
const autosens = from('determine-basal/autosens')
const temps = from('basal-set-temp')
const insulin = from('iob/calculate')
const meal = from('meal/total')
const status = from('glucose-get-last')
const autotune = from('autotune')
const categorize = from('autotune-prep/categorize')
console.error = () => {}
process.stderr.write = () => true

// autosens asks the clock of the machine; it is told the moment of the question.
const Real = Date
const at = (now, work) => {
  global.Date = class extends Real {
    constructor (...given) { given.length ? super(...given) : super(now) }
    static now () { return now }
  }
  try { return work() } finally { global.Date = Real }
}

const answers = {
  determine: (q) =>
    determine(q.glucose, q.temp, q.iob, q.profile, q.autosens || undefined, q.meal, temps, q.microbolus, 100, new Date(q.now)),
  insulin: (q) =>
    q.minutes.map((m) => insulin({ insulin: 1, date: 0 }, new Date(m * 60000), q.profile.curve, q.profile.dia, 75, q.profile)),
  status: (q) => status(q.readings),
  meal: (q) => at(q.now, () => meal(q.opts, new Date(q.now))),
  absorbed: (q) => at(q.now, () => absorbed(q.inputs)),
  autosens: (q) => at(q.now, () => autosens(q.inputs)),
  autotune: (q) => at(q.now, () => {
    const sorted = categorize(q.opts)
    const count = (name) => sorted[name].length
    const counts = ['CSFGlucoseData', 'ISFGlucoseData', 'basalGlucoseData', 'CRData'].map(count)
    const copy = () => JSON.parse(JSON.stringify(q.pump))
    const tuned = autotune({ preppedGlucose: sorted, previousAutotune: copy(), pumpProfile: copy() })
    return { counts, basals: tuned.basalprofile.map((one) => one.rate), isf: tuned.sens, ratio: tuned.carb_ratio }
  })
}

readline.createInterface({ input: process.stdin }).on('line', (line) => {
  const question = JSON.parse(line)
  process.stdout.write(JSON.stringify(answers[question.ask](question)) + '\n')
})
