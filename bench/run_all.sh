#!/bin/sh
# Measure everything that bench/RESULTS.md says about tracking: about ten minutes on two idle cores.
# sh bench/run_all.sh DATA YOLOX_ONNX, from the root of the repository; Markdown on the standard output.
set -eu
data=$1 weights=$2 python=${PYTHON:-python}

run() {
    printf '\n## %s\n\n' "$*"
    "$python" -m "$@"
}

yolox="--detector yolox --det_model_dir $weights --embedder hsv_stripes"
run bench.job --video "$data/PETS09-S2L1/vtest.avi" $yolox --resnet101_vd --compare_threads
run bench.job --data "$data" $yolox --presets
run bench.job --data "$data" --detector builtin --embedder hsv_stripes --presets
run bench.job --data "$data" --sequences TUD-Stadtmitte $yolox --every_box
for det in yolox_nano det; do
    for tracker in recorded online deepsort; do
        run bench.tracking --data "$data" --det $det --tracker $tracker
    done
done
run bench.views --data "$data"
