#!/usr/bin/env bash
# OpenVINO gives an ONNX output another size than onnxruntime, because on the CPU it computes doubles as floats.
#
# The graph takes the height of its input, casts it to double, multiplies it by 1.1, rounds up and makes an output of that
# many rows. 1.1 as a double lies a little above eleven tenths, so 110 * 1.1 is 121.00000000000001 and rounds up to 122 rows.
# OpenVINO says 121, without a warning: 1.1 became a float, and so did the product, which is then 121 exactly. Asking for the
# inference precision f32 changes nothing, and f64 is no choice there.
# The element types hide it. A graph that adds 1 to a double says double64 for its output and hands out a float64 array,
# yet 16777216 + 1 is still 16777216 in it. int64 fares likewise: it behaves as int32, and 2147483647 + 1 is -2147483648.
#
# So a size that a model computes in doubles cannot be foretold by doing the same in doubles. Computed in whole numbers, as
# (11 * height + 9) / 10, the two agree.
#
# Seen with openvino 2026.4.1 and onnxruntime 1.32.0 (onnx 1.23.2, numpy 2.4.6, Python 3.11):
#   rows for 100 in doubles       onnxruntime 111, openvino 110
#   rows for 110 in doubles       onnxruntime 122, openvino 121
#   rows for 110 in integers      onnxruntime 121, openvino 121
#   16777216.0 + 1.0 (float64)    onnxruntime 16777217.0, openvino 16777216.0
#   2147483647 + 1 (int64)        onnxruntime 2147483648, openvino -2147483648
#
# Needs python3 (3.11 or later) with venv. Ends with 1 if one of these answers is another one.
set -euo pipefail
folder="$(mktemp -d)"
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv venv
venv/bin/pip install --quiet --disable-pip-version-check openvino==2026.4.1 onnxruntime==1.32.0 onnx==1.23.2 numpy==2.4.6

cat > ask.py <<'PYTHON'
import sys
import numpy as np
import onnxruntime
import openvino
from onnx import TensorProto as T, checker, helper, numpy_helper
from onnx.helper import make_node as node

core = openvino.Core()
constants = {'factor': np.array([1.1]), 'eleven': np.array([11]), 'nine': np.array([9]), 'ten': np.array([10]),
             'one': np.array([1.0]), 'one_more': np.array([1])}

def both(what, x, out, nodes, expected):
    kind = helper.np_dtype_to_tensor_dtype(x.dtype)
    used = [numpy_helper.from_array(v, k) for k, v in constants.items() if any(k in n.input for n in nodes)]
    graph = helper.make_graph(nodes, 'graph', [helper.make_tensor_value_info('x', kind, ['height'])],
                              [helper.make_tensor_value_info('y', out, ['rows'])], used)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid('', 17)], ir_version=8)
    checker.check_model(model, full_check=True)
    data = model.SerializeToString()
    first = onnxruntime.InferenceSession(data, providers=['CPUExecutionProvider']).run(None, {'x': x})[0]
    second = core.compile_model(core.read_model(data), 'CPU', {'INFERENCE_PRECISION_HINT': 'f32'})(x)[0]
    assert first.dtype == second.dtype
    answers = [y.item() if len(x) == 1 else len(y) for y in (first, second)]
    print(f'{what:<29} onnxruntime {answers[0]}, openvino {answers[1]}')
    return answers == expected

height, rows = node('Shape', ['x'], ['height']), node('ConstantOfShape', ['rows'], ['y'])
doubles = [height, node('Cast', ['height'], ['double'], to=T.DOUBLE), node('Mul', ['double', 'factor'], ['product']),
           node('Ceil', ['product'], ['up']), node('Cast', ['up'], ['rows'], to=T.INT64), rows]
integers = [height, node('Mul', ['height', 'eleven'], ['product']), node('Add', ['product', 'nine'], ['sum']),
            node('Div', ['sum', 'ten'], ['rows']), rows]
same = [
    both('rows for 100 in doubles', np.zeros(100, np.float32), T.FLOAT, doubles, [111, 110]),
    both('rows for 110 in doubles', np.zeros(110, np.float32), T.FLOAT, doubles, [122, 121]),
    both('rows for 110 in integers', np.zeros(110, np.float32), T.FLOAT, integers, [121, 121]),
    both('16777216.0 + 1.0 (float64)', np.array([2.0 ** 24]), T.DOUBLE, [node('Add', ['x', 'one'], ['y'])],
         [2 ** 24 + 1, 2 ** 24]),
    both('2147483647 + 1 (int64)', np.array([2 ** 31 - 1]), T.INT64, [node('Add', ['x', 'one_more'], ['y'])],
         [2 ** 31, -2 ** 31]),
]
sys.exit(0 if all(same) else 'changed')
PYTHON
venv/bin/python ask.py
echo "as it was"
