"""The same queue in SimPy: CALLS callers at 200 an hour, 180 s each, 14 agents; all exponential.

    python3 queue.py CALLS SEED      prints seconds, mean wait, share that waited
"""

import random
import sys
import time

import simpy

calls, seed = int(sys.argv[1]), int(sys.argv[2])
drawn = random.Random(seed)
env = simpy.Environment()
agents = simpy.Resource(env, capacity=14)
waits = [0.0, 0]


def call():
    came = env.now
    with agents.request() as agent:
        yield agent
        waited = env.now - came
        waits[0] += waited
        waits[1] += waited > 0
        yield env.timeout(drawn.expovariate(1 / 180))


def arrivals():
    for _ in range(calls):
        yield env.timeout(drawn.expovariate(200 / 3600))
        env.process(call())


env.process(arrivals())
began = time.process_time()
env.run()
print(f"{time.process_time() - began:.2f} {waits[0] / calls:.3f} {waits[1] / calls:.4f}")
