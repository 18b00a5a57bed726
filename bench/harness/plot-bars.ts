// One horizontal bar per contestant, a thin line from its lowest to its highest figure; in a group for each point that has a name. Pure.
import { round } from './figure.ts';
import { highestOf, type Plot } from './series.ts';
import {
  box,
  colour,
  line,
  linearTicks,
  niceTop,
  svg,
  TOP,
  text,
  tickText,
  WIDTH,
} from './sheet.ts';

const ROW = 24;
const HEADING = 22;
const LEFT = 190;
/** For the figure behind the longest bar. */
const RIGHT = 80;

export function drawBars({ title, ticks, series }: Plot): string {
  const most = niceTop(highestOf(series));
  const x = (value: number): number => LEFT + (value / most) * (WIDTH - LEFT - RIGHT);
  const parts: string[] = [];
  let y = TOP;
  for (const tick of ticks) {
    if (ticks.length > 1) {
      parts.push(box(0, y + 1, WIDTH, HEADING - 2, '#fff'));
      parts.push(text(8, y + 15, tick.name, 'start', 'bold'));
      y += HEADING;
    }
    for (const [i, { name, marks }] of series.entries()) {
      const mark = marks.find((each) => each.x === tick.x);
      parts.push(text(LEFT - 8, y + 16, name, 'end'));
      if (mark === undefined) parts.push(text(LEFT + 6, y + 16, 'not measured', 'start'));
      else {
        parts.push(
          box(LEFT, y + 4, x(mark.y) - LEFT, ROW - 8, colour(i)),
          line(x(mark.lowest), y + 12, x(mark.highest), y + 12, '#000', 1.5),
          text(x(Math.max(mark.highest, mark.y)) + 6, y + 16, round(mark.y), 'start'),
        );
      }
      y += ROW;
    }
  }
  const axis = linearTicks(most).flatMap((value) => [
    line(x(value), TOP, x(value), y + 4, '#ddd'),
    text(x(value), y + 20, tickText(value), 'middle'),
  ]);
  return svg(y + 32, [
    text(8, 18, title, 'start', 'bold'),
    ...axis,
    line(LEFT, TOP, LEFT, y + 4, '#444'),
    ...parts,
  ]);
}
