# SPDX-License-Identifier: Apache-2.0
"""Pages and pictures in a real browser, as a reader meets them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from rtvirt.cli.app import main
from rtvirt.tests.evidence import FILE
from rtvirt.tests.require import require
from rtvirt.tests.require import require_program

try:
    from selenium.webdriver.common.action_chains import ActionChains
    from selenium.webdriver.common.by import By
    from selenium.webdriver.common.keys import Keys
    from selenium.webdriver.remote.webelement import WebElement

    from rtvirt.tests.fixtures.browser import Browser
except ImportError:
    require(available=False, reason='selenium is not installed')

SAMPLES = Path(__file__).parents[4] / 'etc' / 'rtvirt'


@pytest.fixture(scope='module')
def browser() -> Iterator[Browser]:
    program = require_program('chromium')
    driver = require_program('chromedriver')
    with Browser(program, driver) as running:
        yield running


@pytest.fixture(scope='module')
def page(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Write the report of the sample evidence."""
    file = tmp_path_factory.mktemp('page') / 'report.html'
    assert main(['latency', 'report', str(FILE), '-o', str(file)]) == 3
    return file


def first_column(browser: Browser) -> list[str]:
    return [
        cell.text
        for cell in browser.driver.find_elements(
            By.CSS_SELECTOR,
            'table[aria-label="Percentiles by thread"] tbody th',
        )
    ]


def chart_of(browser: Browser, number: int) -> tuple[WebElement, WebElement]:
    """Return a histogram and what stands below it."""
    (figure,) = browser.driver.find_elements(By.CSS_SELECTOR, 'figure')[
        number : number + 1
    ]
    return (
        figure.find_element(By.CSS_SELECTOR, 'svg'),
        figure.find_element(By.CSS_SELECTOR, 'figcaption'),
    )


@pytest.mark.parametrize('scheme', ['light', 'dark'])
@pytest.mark.parametrize('width', [400, 1300])
def test_the_page_renders(
    browser: Browser, page: Path, scheme: str, width: int
) -> None:
    browser.driver.set_window_size(width, 900)
    browser.open(page, scheme=scheme)
    assert browser.errors() == []
    words = browser.driver.find_elements(By.CSS_SELECTOR, '.word')
    assert [word.text for word in words] == ['✗ Fail', '✓ Pass']
    assert words[0].location['y'] < 300
    ground = browser.driver.execute_script(
        'return getComputedStyle(document.body).backgroundColor'
    )
    assert ground == (
        'rgb(255, 255, 255)' if scheme == 'light' else 'rgb(18, 22, 27)'
    )
    # The page's policy lets its own style through, pictures' included.
    bars = browser.driver.execute_script(
        "return getComputedStyle(document.querySelector('.bars')).fill"
    )
    assert bars not in ('rgb(0, 0, 0)', 'none')
    too_wide = browser.driver.execute_script(
        'return document.documentElement.scrollWidth > window.innerWidth'
    )
    assert not too_wide
    for chart in browser.driver.find_elements(By.CSS_SELECTOR, 'svg.chart'):
        assert chart.size['width'] > 250
        assert chart.size['height'] > 100


def test_the_table_sorts(browser: Browser, page: Path) -> None:
    browser.open(page)
    assert first_column(browser) == ['CPU 0', 'CPU 1', 'CPU 2']
    (button,) = [
        one
        for one in browser.driver.find_elements(By.CSS_SELECTOR, 'th button')
        if one.text == 'Max'
    ]
    head = button.find_element(By.XPATH, '..')
    button.click()
    assert first_column(browser) == ['CPU 1', 'CPU 2', 'CPU 0']
    assert head.get_attribute('aria-sort') == 'ascending'
    button.send_keys(Keys.ENTER)
    assert first_column(browser) == ['CPU 0', 'CPU 2', 'CPU 1']
    assert head.get_attribute('aria-sort') == 'descending'
    assert browser.errors() == []


def test_a_bar_shows_its_samples(browser: Browser, page: Path) -> None:
    browser.driver.set_window_size(1300, 900)
    browser.open(page)
    chart, caption = chart_of(browser, 1)
    idle = caption.text
    bins = [
        part.split(',')
        for part in str(chart.get_attribute('data-bins')).split(';')
    ]
    (left, right, label, count) = next(b for b in bins if b[2] == '6 us')
    browser.driver.execute_script('arguments[0].scrollIntoView()', chart)
    scale = chart.size['width'] / 560
    middle = (int(left) + int(right)) / 2 * scale - chart.size['width'] / 2
    ActionChains(browser.driver).move_to_element_with_offset(
        chart, round(middle), 0
    ).perform()
    grouped = f'{int(count):,}'.replace(',', ' ')
    assert caption.text.startswith(f'{label}: {grouped} samples (')
    assert caption.text.endswith(' %)')
    ActionChains(browser.driver).move_to_element(
        browser.driver.find_element(By.TAG_NAME, 'h1')
    ).perform()
    assert caption.text == idle
    assert browser.errors() == []


def test_the_arrow_keys_reach_the_overflow(
    browser: Browser, page: Path
) -> None:
    browser.open(page)
    chart, caption = chart_of(browser, 0)
    chart.send_keys(Keys.ARROW_RIGHT)
    assert caption.text.startswith('2 us: ')
    for _ in range(200):
        chart.send_keys(Keys.ARROW_RIGHT)
        if 'or more' in caption.text:
            break
    assert caption.text.startswith('100 us or more: 6 samples (')


def test_the_histogram_of_a_hostile_name_runs_nothing(
    browser: Browser, tmp_path: Path
) -> None:
    evidence = tmp_path / 'hostile.json'
    hostile = '</title></style><img src=x onerror=alert(1)>'
    text = FILE.read_text().replace('"plc-1"', f'"{hostile}"')
    evidence.write_text(text)
    file = tmp_path / 'hostile.html'
    main(['latency', 'report', str(evidence), '-o', str(file)])
    browser.open(file)
    assert browser.errors() == []
    assert hostile in browser.driver.find_element(By.TAG_NAME, 'h1').text


@pytest.mark.parametrize('host', ['edge-8', 'nps4-128'])
def test_a_picture_is_drawn_as_planned(
    browser: Browser, tmp_path: Path, host: str
) -> None:
    file = tmp_path / 'plan.svg'
    argv = [
        *('plan', '--flavor', str(SAMPLES / 'flavors' / 'rt1.small.yaml')),
        *('--host', str(SAMPLES / 'hosts' / f'{host}.xml')),
        *('--dedicated', '2-7', '--shared', '0-1', '--svg', str(file)),
    ]
    assert main(argv) == 0
    browser.driver.set_window_size(1400, 1000)
    browser.open(file)
    assert browser.errors() == []
    # What the browser's own font makes of the texts: none is cut off.
    cut = browser.driver.execute_script(
        """
        const svg = document.documentElement;
        const end = svg.viewBox.baseVal.width;
        return [...svg.querySelectorAll('text')].filter((text) => {
          const box = text.getBBox();
          return box.x < 0 || box.x + box.width > end;
        }).map((text) => text.textContent);
        """
    )
    assert cut == []
