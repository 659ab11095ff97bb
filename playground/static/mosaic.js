// Where the pictures of an album go: rows that fill the width, each picture keeping its shape.

const MIN_RATIO = 0.6; // narrower or wider pictures are cropped to these shapes
const MAX_RATIO = 2.4;
const WISHED_RATIO = 1.2; // of the whole album, width to height
const GAP = 0.75; // per cent of the album's width

/** Every way to cut n pictures into rows of one to three. */
function cuts(n) {
  if (n === 0) return [[]];
  return [1, 2, 3].filter((k) => k <= n).flatMap((k) => cuts(n - k).map((rest) => [k, ...rest]));
}

/** Row heights as shares of the width, for rows of these ratios. */
function heights(rows) {
  return rows.map((row) => 1 / row.reduce((sum, ratio) => sum + ratio, 0));
}

function cost(rows) {
  const tall = heights(rows);
  const total = tall.reduce((sum, height) => sum + height, 0);
  const uneven = Math.max(...tall) / Math.min(...tall);
  const small = Math.min(...tall) < 0.25 ? 1 : 0;
  // The best picture comes first: a row of its own must not be smaller than those below it.
  const demoted = rows[0].length > Math.min(...rows.map((row) => row.length)) ? 0.15 : 0;
  return Math.abs(Math.log(total * WISHED_RATIO)) + 0.12 * (uneven - 1) + small + demoted;
}

function bestRows(ratios) {
  let best = null;
  for (const cut of cuts(ratios.length)) {
    let from = 0;
    const rows = cut.map((k) => ratios.slice(from, (from += k)));
    const price = cost(rows);
    if (!best || price < best.price) best = { price, rows };
  }
  return best.rows;
}

/** A tall first picture on the left, the others stacked on its right. */
function beside(ratios) {
  const others = ratios.slice(1);
  const right = 1 / others.reduce((sum, ratio) => sum + 1 / ratio, 0); // ratio of the right column
  const height = 1 / (ratios[0] + right);
  const left = ratios[0] * height;
  const cells = [{ x: 0, y: 0, w: left, h: height }];
  let y = 0;
  for (const ratio of others) {
    const h = (1 - left) / ratio;
    cells.push({ x: left, y, w: 1 - left, h });
    y += h;
  }
  return { height, cells };
}

function stacked(rows) {
  const cells = [];
  let y = 0;
  heights(rows).forEach((h, i) => {
    let x = 0;
    for (const ratio of rows[i]) {
      cells.push({ x, y, w: ratio * h, h });
      x += ratio * h;
    }
    y += h;
  });
  return { height: y, cells };
}

/**
 * Lays out pictures of these ratios (width / height). Returns the album's own `ratio` and a box
 * for each picture in per cent of the album's width and height, gaps taken out.
 */
export function mosaic(wanted) {
  const ratios = wanted.map((ratio) => Math.min(MAX_RATIO, Math.max(MIN_RATIO, ratio || 1)));
  const tallFirst = ratios[0] < 0.85 && (ratios.length === 3 || ratios.length === 4);
  const { height, cells } = tallFirst ? beside(ratios) : stacked(bestRows(ratios));
  const gapY = GAP / height;
  const boxes = cells.map(({ x, y, w, h }) => {
    const right = x + w < 0.999 ? GAP / 2 : 0;
    const left = x > 0.001 ? GAP / 2 : 0;
    const bottom = y + h < height - 0.001 ? gapY / 2 : 0;
    const top = y > 0.001 ? gapY / 2 : 0;
    return {
      left: x * 100 + left,
      top: (y / height) * 100 + top,
      width: w * 100 - left - right,
      height: (h / height) * 100 - top - bottom,
    };
  });
  return { ratio: 1 / height, boxes };
}
