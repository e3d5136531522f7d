// SPDX-License-Identifier: Apache-2.0
// Floating point and property access: five bodies that attract each other.
function run(n) {
	let bodies = [];
	for (let i = 0; i < 5; i++) bodies.push({ x: i, y: i * 2, z: i * 3, vx: 0, vy: .1 * i, vz: 0, m: 1 + i });
	for (let k = 0; k < n; k++) {
		for (let i = 0; i < 5; i++) {
			let p = bodies[i];
			for (let j = i + 1; j < 5; j++) {
				let q = bodies[j];
				let dx = p.x - q.x, dy = p.y - q.y, dz = p.z - q.z;
				let d = dx * dx + dy * dy + dz * dz + .01;
				let m = .001 / (d * Math.sqrt(d));
				p.vx -= dx * q.m * m; p.vy -= dy * q.m * m; p.vz -= dz * q.m * m;
				q.vx += dx * p.m * m; q.vy += dy * p.m * m; q.vz += dz * p.m * m;
			}
		}
		for (let p of bodies) { p.x += .001 * p.vx; p.y += .001 * p.vy; p.z += .001 * p.vz; }
	}
	return bodies[0].x;
}
run(30000);
