"""What leaves the service as a file: one document, written as xlsx, csv or PDF; every export is audited."""
