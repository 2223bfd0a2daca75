'use strict';
(() => {
  const SVG = 'http://www.w3.org/2000/svg';

  function keyOf(row, column) {
    const cell = row.cells[column];
    const value = cell.dataset.sort ?? cell.textContent;
    const number = Number(value);
    return value.trim() === '' || Number.isNaN(number) ? value : number;
  }

  function compare(one, other) {
    const numbers = typeof one === 'number' && typeof other === 'number';
    return numbers ? one - other : String(one).localeCompare(String(other));
  }

  function sort(button) {
    const head = button.closest('th');
    const body = button.closest('table').tBodies[0];
    const isUp = head.getAttribute('aria-sort') !== 'ascending';
    const sign = isUp ? 1 : -1;
    for (const other of head.parentNode.cells) {
      other.removeAttribute('aria-sort');
    }
    head.setAttribute('aria-sort', isUp ? 'ascending' : 'descending');
    const rows = [...body.rows];
    rows.sort((a, b) => sign * compare(
      keyOf(a, head.cellIndex), keyOf(b, head.cellIndex)));
    body.append(...rows);
  }

  for (const button of document.querySelectorAll('th button')) {
    button.addEventListener('click', () => sort(button));
  }

  function binsOf(chart) {
    const text = chart.dataset.bins;
    return text ? text.split(';').map((part) => {
      const [left, right, label, count] = part.split(',');
      return {left: +left, right: +right, label, count: +count};
    }) : [];
  }

  function enliven(chart) {
    const bins = binsOf(chart);
    const total = bins.reduce((sum, bin) => sum + bin.count, 0);
    const caption = chart.parentNode.querySelector('figcaption');
    const idle = caption.textContent;
    const box = chart.viewBox.baseVal;
    const cursor = document.createElementNS(SVG, 'rect');
    let current = -1;
    cursor.setAttribute('class', 'cursor');
    cursor.setAttribute('y', '30');
    cursor.setAttribute('height', String(box.height - 68));

    function show(index) {
      if (index === current) { return; }
      current = index;
      if (index < 0) {
        cursor.remove();
        caption.textContent = idle;
        return;
      }
      const bin = bins[index];
      const part = 100 * bin.count / total;
      const words = bin.count === 1 ? 'sample' : 'samples';
      caption.textContent = `${bin.label}: ` +
        `${bin.count.toLocaleString('en-US').replaceAll(',', ' ')} ${words}` +
        ` (${part >= 0.01 ? part.toFixed(2) : part.toPrecision(2)} %)`;
      cursor.setAttribute('x', String(bin.left));
      cursor.setAttribute('width', String(Math.max(1, bin.right - bin.left)));
      chart.append(cursor);
    }

    chart.addEventListener('pointermove', (event) => {
      const frame = chart.getBoundingClientRect();
      const x = (event.clientX - frame.left) * box.width / frame.width;
      let best = -1;
      let nearest = 12;
      bins.forEach((bin, index) => {
        const far = Math.max(bin.left - x, x - bin.right, 0);
        if (far < nearest) { best = index; nearest = far; }
      });
      show(best);
    });
    chart.addEventListener('pointerleave', () => show(-1));
    chart.addEventListener('blur', () => show(-1));
    chart.addEventListener('keydown', (event) => {
      const step = {ArrowRight: 1, ArrowLeft: -1}[event.key];
      if (!step || !bins.length) { return; }
      event.preventDefault();
      show(Math.min(Math.max(current + step, 0), bins.length - 1));
    });
  }

  document.querySelectorAll('svg.chart').forEach(enliven);
})();
