#!/usr/bin/env bash
# Install, or bring to the versions below, what the overlays need in a cluster: add-ons.sh CLOUD
#   CLOUD   aws, gcp, digitalocean or local; kubectl's context is the cluster that is meant
set -euo pipefail

cloud=${1:?say which: aws, gcp, digitalocean or local}
cd "$(dirname "$0")/../../kubernetes/overlays/$cloud"

chart() {
  local namespace=$1 name=$2 from=$3 version=$4
  shift 4
  echo "$name $version"
  helm upgrade --install "$name" "$from" --version "$version" --namespace "$namespace" --create-namespace \
    --wait --timeout 10m "$@"
}

# Two proxies, behind a balancer that keeps the visitor's address: AWS's older one, its default, hides it.
envoy() {
  chart envoy-gateway-system envoy-gateway oci://docker.io/envoyproxy/gateway-helm v1.8.1
  kubectl apply --filename - <<'CLASS'
apiVersion: gateway.envoyproxy.io/v1alpha1
kind: EnvoyProxy
metadata: {name: envoy, namespace: envoy-gateway-system}
spec:
  provider:
    type: Kubernetes
    kubernetes:
      envoyDeployment: {replicas: 2}
      envoyService:
        externalTrafficPolicy: Local
        annotations: {service.beta.kubernetes.io/aws-load-balancer-type: nlb}
---
apiVersion: gateway.networking.k8s.io/v1
kind: GatewayClass
metadata: {name: envoy}
spec:
  controllerName: gateway.envoyproxy.io/gatewayclass-controller
  parametersRef: {group: gateway.envoyproxy.io, kind: EnvoyProxy, name: envoy, namespace: envoy-gateway-system}
CLASS
}

cert_manager() {
  chart cert-manager cert-manager oci://quay.io/jetstack/charts/cert-manager v1.20.3 --set crds.enabled=true \
    --set config.apiVersion=controller.config.cert-manager.io/v1alpha1 \
    --set config.kind=ControllerConfiguration --set config.enableGatewayAPI=true \
    --set prometheus.servicemonitor.enabled=true
}

# Names of namespace and service account are those that the identities and policies expect.
everywhere() {
  chart external-secrets external-secrets external-secrets 2.9.0 --repo https://charts.external-secrets.io
  chart keda keda keda 2.20.1 --repo https://kedacore.github.io/charts
  chart monitoring monitoring oci://ghcr.io/prometheus-community/charts/kube-prometheus-stack 85.1.3 \
    --set prometheus.prometheusSpec.serviceMonitorSelectorNilUsesHelmValues=false \
    --set prometheus.prometheusSpec.podMonitorSelectorNilUsesHelmValues=false \
    --set prometheus.prometheusSpec.ruleSelectorNilUsesHelmValues=false
}

case $cloud in
  aws)
    cluster=$(sed -n 's/^kube_cluster=//p' terraform.env) region=$(sed -n 's/^kube_region=//p' terraform.env)
    chart kube-system cluster-autoscaler cluster-autoscaler 9.59.0 --repo https://kubernetes.github.io/autoscaler \
      --set "autoDiscovery.clusterName=$cluster" --set "awsRegion=$region" \
      --set rbac.serviceAccount.name=cluster-autoscaler
    everywhere
    envoy
    cert_manager
    ;;
  gcp) everywhere ;;
  digitalocean)
    chart kube-system metrics-server metrics-server 3.13.0 --repo https://kubernetes-sigs.github.io/metrics-server
    everywhere
    cert_manager
    ;;
  local) envoy ;;
esac
