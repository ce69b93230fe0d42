"""The numbers under the managers' page: folded, sampled, thinned out and recounted by tasks."""
