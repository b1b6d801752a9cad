# One image for the web process, the worker and the migration; compose.yaml says which runs.
FROM python:3.12-slim-bookworm

RUN apt-get update \
 && apt-get install -y --no-install-recommends libgl1 libglib2.0-0 libxcb1 libgomp1 \
 && rm -rf /var/lib/apt/lists/*

WORKDIR /opt/resight
COPY requirements.txt ./
RUN pip install --no-cache-dir --disable-pip-version-check -r requirements.txt
COPY . .
RUN pybabel --quiet compile --directory translations \
 && useradd --system --create-home --uid 1000 resight \
 && mkdir -p /data && chown resight /data

USER resight
ENV RESIGHT_DATA_DIR=/data PYTHONUNBUFFERED=1
VOLUME /data
EXPOSE 8000
CMD ["python", "app.py", "web"]
