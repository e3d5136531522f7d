/* SPDX-License-Identifier: Apache-2.0 */
/* Bodies that attract each other: doubles, square roots, short inner loops. */
enum { BODIES = 5, STEPS = 100000 };

typedef struct body {
	double x[3], v[3], mass;
} body;

static body bodies[BODIES];

static void step(double time)
{
	for (int i = 0; i < BODIES; i++)
		for (int j = i + 1; j < BODIES; j++) {
			double d[3], square = 0.01;
			for (int k = 0; k < 3; k++) {
				d[k] = bodies[i].x[k] - bodies[j].x[k];
				square += d[k] * d[k];
			}
			double force = time / (square * __builtin_sqrt(square));
			for (int k = 0; k < 3; k++) {
				bodies[i].v[k] -= d[k] * bodies[j].mass * force;
				bodies[j].v[k] += d[k] * bodies[i].mass * force;
			}
		}
	for (int i = 0; i < BODIES; i++)
		for (int k = 0; k < 3; k++)
			bodies[i].x[k] += time * bodies[i].v[k];
}

__attribute__((export_name("run"))) int run(void)
{
	for (int i = 0; i < BODIES; i++)
		bodies[i] = (body){{i * 1.5, i * i * 0.7, 3 - i}, {0.1 * i, 0.2, 0.3 - 0.1 * i}, 1.0 + i};
	for (int i = 0; i < STEPS; i++)
		step(0.001);
	return (int)(bodies[0].x[0] * 1000);
}
