//! Places for the boxes and lines of a directed graph, in layers from left to right. Drawing belongs to the
//! caller.

use std::collections::HashMap;

use rust_sugiyama::configure::{Config, RankingType};
use rust_sugiyama::from_vertices_and_edges;

/// Size of the boxes, all of which are alike, and of the spaces between them, in the unit of the drawing.
#[derive(Debug, Clone, Copy)]
pub struct BoxSize {
    /// Width of a box.
    pub width: f64,
    /// Height of a box.
    pub height: f64,
    /// Space between two boxes of a layer, and around the drawing.
    pub gap: f64,
    /// Space between two layers.
    pub layer_gap: f64,
}

/// A point.
pub type Point = (f64, f64);

/// Result of a layout. The coordinates grow to the right and downwards, from 0.
#[derive(Debug, Clone, Default)]
pub struct LayeredLayout {
    /// Width of the drawing.
    pub width: f64,
    /// Height of the drawing.
    pub height: f64,
    /// Upper left corner of each box.
    pub boxes: Vec<Point>,
    /// Each line: from the right side of its first box through the gaps between the boxes of each layer to the left
    /// side of its second one. The line of a box to itself has no point.
    pub lines: Vec<Vec<Point>>,
}

/// Maximum number of points within lines: more of them cost time, and such a drawing is a ball of wool anyway.
const MOST_POINTS: usize = 4_000;
/// From this number of boxes on, neighbours are not swapped to avoid crossings, which takes most of the time.
const MANY: usize = 200;
/// Minimum number of columns of the block of boxes without lines.
const COLUMNS: usize = 4;

/// Lays out `count` boxes and the lines between them, given as pairs of box numbers. Lines lead to a later layer,
/// except those that close a cycle. Boxes without lines form a block below the others.
#[must_use]
pub fn layered_layout(count: usize, lines: &[(usize, usize)], size: BoxSize) -> LayeredLayout {
    let mut numbers: HashMap<(usize, usize), usize> = HashMap::new();
    let mut pairs = Vec::new();
    for pair in lines.iter().filter(|(from, to)| from != to) {
        numbers.entry(*pair).or_insert_with(|| {
            pairs.push(*pair);
            pairs.len() - 1
        });
    }
    let layers = layers_of(count, &pairs, size);
    let routes = Routes::new(count, &pairs, &layers);
    let mut drawing = Drawing::new(count, routes.total, size);
    for part in place(routes.total, &routes.edges, count, size) {
        drawing.add_part(&part);
    }
    drawing.add_block();
    let way = |pair: &(usize, usize)| {
        let points = numbers.get(pair).map(|number| &routes.points[*number]);
        points.map(|points| drawing.line(*pair, points)).unwrap_or_default()
    };
    LayeredLayout {
        lines: lines.iter().map(way).collect(),
        width: drawing.width,
        height: drawing.bottom,
        boxes: drawing.corners(),
    }
}

/// Boxes and points of a connected part: number and centre.
type PlacedPart = Vec<(usize, Point)>;

/// Lets the library place the ends of these edges, of which the first `boxes` are boxes and the others points.
fn place(total: usize, edges: &[(usize, usize)], boxes: usize, size: BoxSize) -> Vec<PlacedPart> {
    let mut is_used = vec![false; total];
    edges.iter().for_each(|(from, to)| (is_used[*from], is_used[*to]) = (true, true));
    // The library numbers vertices by their position in its list.
    let used: Vec<usize> = (0..total).filter(|at| is_used[*at]).collect();
    let mut numbers = vec![0u32; total];
    used.iter().zip(0..).for_each(|(at, number)| numbers[*at] = number);
    // The library stacks layers downwards: width and height change places. It adds its own gap on each side.
    let across = size.width + size.layer_gap - size.gap;
    let extent = |at: usize| if at < boxes { (size.height, across) } else { (1.0, across) };
    let vertices: Vec<(u32, (f64, f64))> = used.iter().map(|at| (numbers[*at], extent(*at))).collect();
    let edges: Vec<(u32, u32)> = edges.iter().map(|(from, to)| (numbers[*from], numbers[*to])).collect();
    let config = Config {
        vertex_spacing: size.gap,
        transpose: total <= MANY,
        // The other rankings never end for some graphs with cycles.
        ranking_type: RankingType::Up,
        ..Config::default()
    };
    let parts = from_vertices_and_edges(&vertices, &edges, &config);
    let turned = |(number, (x, y)): (usize, Point)| (used[number], (y, x));
    parts.into_iter().map(|(part, ..)| part.into_iter().map(turned).collect()).collect()
}

/// Returns the layer of each box, from 0.
fn layers_of(count: usize, pairs: &[(usize, usize)], size: BoxSize) -> Vec<usize> {
    let mut layers = vec![0; count];
    for part in place(count, pairs, count, size) {
        let left = part.iter().map(|(_, (x, _))| *x).fold(f64::INFINITY, f64::min);
        for (at, (x, _)) in part {
            layers[at] = number((x - left) / (size.width + size.layer_gap));
        }
    }
    layers
}

/// Returns the whole number next to a small coordinate.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "layers and columns are few, and not negative"
)]
fn number(value: f64) -> usize {
    value.round().max(0.0) as usize
}

/// Edges between neighbouring layers: each line that skips layers has a point in every one of them.
struct Routes {
    /// Number of boxes and points.
    total: usize,
    edges: Vec<(usize, usize)>,
    /// Points of each line, from its first box to its second.
    points: Vec<Vec<usize>>,
}

impl Routes {
    fn new(count: usize, pairs: &[(usize, usize)], layers: &[usize]) -> Self {
        let mut routes = Self { total: count, edges: Vec::new(), points: Vec::with_capacity(pairs.len()) };
        for (from, to) in pairs {
            // A line that closes a cycle leads to an earlier layer: its edges are turned round.
            let is_back = layers[*from] > layers[*to];
            let (first, last) = if is_back { (*to, *from) } else { (*from, *to) };
            let skipped = (layers[last] - layers[first]).saturating_sub(1);
            let skipped = if routes.total - count + skipped > MOST_POINTS { 0 } else { skipped };
            let mut points: Vec<usize> = (routes.total..routes.total + skipped).collect();
            routes.total += skipped;
            let ends = [first].into_iter().chain(points.iter().copied()).chain([last]);
            let ends: Vec<usize> = ends.collect();
            routes.edges.extend(ends.windows(2).map(|pair| (pair[0], pair[1])));
            if is_back {
                points.reverse();
            }
            routes.points.push(points);
        }
        routes
    }
}

/// A drawing, to which connected parts are added one below the other.
struct Drawing {
    size: BoxSize,
    count: usize,
    centres: Vec<Option<Point>>,
    width: f64,
    bottom: f64,
}

impl Drawing {
    fn new(count: usize, total: usize, size: BoxSize) -> Self {
        Self { size, count, centres: vec![None; total], width: size.gap, bottom: size.gap }
    }

    fn add_part(&mut self, part: &PlacedPart) {
        let BoxSize { width, height, gap, .. } = self.size;
        let half = |at: usize| if at < self.count { height / 2.0 } else { 0.0 };
        let left = part.iter().map(|(_, (x, _))| x - width / 2.0).fold(f64::INFINITY, f64::min);
        let top = part.iter().map(|(at, (_, y))| y - half(*at)).fold(f64::INFINITY, f64::min);
        let bottom = part.iter().map(|(at, (_, y))| y + half(*at)).fold(f64::NEG_INFINITY, f64::max);
        for (at, (x, y)) in part {
            let x = x - left + gap;
            self.width = self.width.max(x + width / 2.0 + gap);
            self.centres[*at] = Some((x, y - top + self.bottom));
        }
        self.bottom += bottom - top + gap;
    }

    /// Adds the boxes without lines.
    fn add_block(&mut self) {
        let BoxSize { width, height, gap, .. } = self.size;
        let alone: Vec<usize> = (0..self.count).filter(|at| self.centres[*at].is_none()).collect();
        // As wide as what is above.
        let columns = number(((self.width - gap) / (width + gap)).floor()).max(COLUMNS);
        for row in alone.chunks(columns) {
            let mut x = gap;
            for at in row {
                self.centres[*at] = Some((x + width / 2.0, self.bottom + height / 2.0));
                x += width + gap;
            }
            self.width = self.width.max(x);
            self.bottom += height + gap;
        }
    }

    fn corners(&self) -> Vec<Point> {
        let BoxSize { width, height, .. } = self.size;
        let centres = self.centres.iter().take(self.count).map(|centre| centre.unwrap_or_default());
        centres.map(|(x, y)| (x - width / 2.0, y - height / 2.0)).collect()
    }

    fn line(&self, (from, to): (usize, usize), points: &[usize]) -> Vec<Point> {
        let half = self.size.width / 2.0;
        let centre = |at: usize| self.centres[at].unwrap_or_default();
        let (start, end) = (centre(from), centre(to));
        let side = if start.0 > end.0 { -half } else { half };
        let mut line = vec![(start.0 + side, start.1)];
        for point in points {
            let (x, y) = centre(*point);
            // The line crosses the layer level, as wide as its boxes.
            line.extend([(x - side, y), (x + side, y)]);
        }
        line.push((end.0 - side, end.1));
        line
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const SIZE: BoxSize = BoxSize { width: 100.0, height: 20.0, gap: 10.0, layer_gap: 50.0 };

    fn overlaps(a: Point, b: Point) -> bool {
        (a.0 - b.0).abs() < SIZE.width - 0.01 && (a.1 - b.1).abs() < SIZE.height - 0.01
    }

    #[test]
    fn layers_go_from_left_to_right_and_long_lines_go_round_boxes() {
        let layout = layered_layout(4, &[(0, 1), (1, 2), (0, 2)], SIZE);
        let x: Vec<f64> = layout.boxes.iter().map(|(x, _)| x.round()).collect();
        assert_eq!(x, [10.0, 160.0, 310.0, 10.0]);
        let way = &layout.lines[2];
        assert_eq!(way.len(), 4, "{way:?}");
        assert!((way[1].1 - (layout.boxes[1].1 + 10.0)).abs() > 10.0, "the line crosses a box: {layout:?}");
        assert!(layout.boxes[3].1 > layout.boxes[0].1);
    }

    #[test]
    fn layout_takes_cycles_loops_and_doubles() {
        let layout = layered_layout(2, &[(0, 1), (1, 0), (0, 0), (0, 1)], SIZE);
        assert_eq!(layout.lines[0], layout.lines[3]);
        assert!(layout.lines[2].is_empty());
        let goes_left = |line: &[Point]| line[0].0 > line[line.len() - 1].0;
        assert_ne!(goes_left(&layout.lines[0]), goes_left(&layout.lines[1]), "{layout:?}");
        assert!(layered_layout(0, &[], SIZE).boxes.is_empty());
    }

    proptest! {
        #[test]
        fn boxes_never_overlap_and_stay_inside(
            count in 1usize..24,
            lines in prop::collection::vec((0usize..24, 0usize..24), 0..60),
        ) {
            let lines: Vec<_> = lines.into_iter().map(|(from, to)| (from % count, to % count)).collect();
            let layout = layered_layout(count, &lines, SIZE);
            for (at, one) in layout.boxes.iter().enumerate() {
                prop_assert!(one.0 >= 0.0 && one.0 + SIZE.width <= layout.width, "{layout:?}");
                prop_assert!(one.1 >= 0.0 && one.1 + SIZE.height <= layout.height, "{layout:?}");
                for other in &layout.boxes[..at] {
                    prop_assert!(!overlaps(*one, *other), "{layout:?}");
                }
            }
            prop_assert_eq!(layout.lines.len(), lines.len());
        }
    }
}
