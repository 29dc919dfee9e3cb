/** Readable in light and dark, on paper and on a telephone. */
export const style = `
:root { color-scheme: light dark; --back: #ffffff; --card: #f6f7f9; --text: #1c2128; --faint: #5b6570; --line: #d5dae0; --good: #0a7d3c; }
@media (prefers-color-scheme: dark) {
  :root { --back: #14181d; --card: #1c2229; --text: #e6e9ed; --faint: #9aa5b1; --line: #39424d; --good: #4cc38a; }
}
* { box-sizing: border-box; }
body { margin: 0; background: var(--back); color: var(--text); font: 15px/1.5 system-ui, -apple-system, 'Segoe UI', Roboto, 'DejaVu Sans', sans-serif; }
main { max-width: 1120px; margin: 0 auto; padding: 24px 20px 48px; }
h1 { margin: 0; font-size: 26px; }
header p { margin: 4px 0 0; color: var(--faint); }
h2 { margin: 0 0 6px; font-size: 19px; }
h2 small { font-weight: normal; font-size: 13px; color: var(--faint); margin-left: 6px; }
section { margin-top: 24px; padding: 18px 20px; background: var(--card); border: 1px solid var(--line); border-radius: 10px; }
section > p { margin: 0 0 14px; color: var(--faint); max-width: 90ch; }
ul { margin: 0; padding-left: 20px; }
li { margin: 5px 0; max-width: 105ch; }
.note { margin: 14px 0 0; padding: 8px 12px; border-left: 4px solid #d9a400; background: var(--card); }
.charts { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(440px, 100%), 1fr)); gap: 18px; }
figure { margin: 0; min-width: 0; }
figcaption { font-weight: 600; font-size: 14px; margin-bottom: 4px; }
.chart { position: relative; width: 100%; }
.wide { overflow-x: auto; margin-top: 14px; }
table { border-collapse: collapse; width: 100%; font-variant-numeric: tabular-nums; font-size: 14px; }
th, td { padding: 4px 10px; text-align: left; white-space: nowrap; }
th.right, td.right { text-align: right; }
thead th { color: var(--faint); font-weight: 600; border-bottom: 1px solid var(--line); }
tr.first td { border-top: 1px solid var(--line); }
td.ratio { font-weight: 700; }
td.good { color: var(--good); }
.environment th { color: var(--faint); font-weight: 600; vertical-align: top; width: 220px; }
.environment td { white-space: normal; }
footer { margin-top: 24px; color: var(--faint); font-size: 13px; }
@media print { section { break-inside: avoid; } }
`
