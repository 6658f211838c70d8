/**
 * The shapes of the built-in kinds, derived from the Go types of k8s.io/api, apimachinery and apiextensions-apiserver
 * v0.36.0 (Apache-2.0): names, JSON types and protobuf numbers of fields, list and patch strategies. Notation:
 * builtin-types.ts.
 */
export const builtinTypeTable = `
admissionregistration.MatchCondition name:string@1* expression:string@2*
admissionregistration.MutatingWebhook name:string@1* clientConfig:admissionregistration.WebhookClientConfig@2* rules:[admissionregistration.RuleWithOperations]@3 failurePolicy:string@4& matchPolicy:string@9& namespaceSelector:meta.LabelSelector@5&! objectSelector:meta.LabelSelector@11&! sideEffects:string@6&* timeoutSeconds:int@7& admissionReviewVersions:[string]@8* reinvocationPolicy:string@10& matchConditions:[admissionregistration.MatchCondition]@12#name~name
admissionregistration.MutatingWebhookConfiguration kind:string apiVersion:string metadata:meta.ObjectMeta@1 webhooks:[admissionregistration.MutatingWebhook]@2#name~name
admissionregistration.RuleWithOperations operations:[string]@1 apiGroups:[string]@2.1 apiVersions:[string]@2.2 resources:[string]@2.3 scope:string@2.4&
admissionregistration.ServiceReference namespace:string@1* name:string@2* path:string@3& port:int@4&
admissionregistration.ValidatingWebhook name:string@1* clientConfig:admissionregistration.WebhookClientConfig@2* rules:[admissionregistration.RuleWithOperations]@3 failurePolicy:string@4& matchPolicy:string@9& namespaceSelector:meta.LabelSelector@5&! objectSelector:meta.LabelSelector@10&! sideEffects:string@6&* timeoutSeconds:int@7& admissionReviewVersions:[string]@8* matchConditions:[admissionregistration.MatchCondition]@11#name~name
admissionregistration.ValidatingWebhookConfiguration kind:string apiVersion:string metadata:meta.ObjectMeta@1 webhooks:[admissionregistration.ValidatingWebhook]@2#name~name
admissionregistration.WebhookClientConfig url:string@3& service:admissionregistration.ServiceReference@1& caBundle:bytes@2
apiextensions.CustomResourceColumnDefinition name:string@1* type:string@2* format:string@3 description:string@4 priority:int@5 jsonPath:string@6*
apiextensions.CustomResourceConversion strategy:string@1* webhook:apiextensions.WebhookConversion@2&
apiextensions.CustomResourceDefinition kind:string apiVersion:string metadata:meta.ObjectMeta@1 spec:apiextensions.CustomResourceDefinitionSpec@2* status:apiextensions.CustomResourceDefinitionStatus@3
apiextensions.CustomResourceDefinitionCondition type:string@1* status:string@2* lastTransitionTime:time@3 reason:string@4 message:string@5 observedGeneration:int64@6
apiextensions.CustomResourceDefinitionNames plural:string@1* singular:string@2 shortNames:[string]@3 kind:string@4* listKind:string@5 categories:[string]@6
apiextensions.CustomResourceDefinitionSpec group:string@1* names:apiextensions.CustomResourceDefinitionNames@3* scope:string@4* versions:[apiextensions.CustomResourceDefinitionVersion]@7* conversion:apiextensions.CustomResourceConversion@9& preserveUnknownFields:bool@10
apiextensions.CustomResourceDefinitionStatus conditions:[apiextensions.CustomResourceDefinitionCondition]@1#type acceptedNames:apiextensions.CustomResourceDefinitionNames@2 storedVersions:[string]@3 observedGeneration:int64@4
apiextensions.CustomResourceDefinitionVersion name:string@1* served:bool@2* storage:bool@3* deprecated:bool@7 deprecationWarning:string@8& schema:apiextensions.CustomResourceValidation@4& subresources:apiextensions.CustomResourceSubresources@5& additionalPrinterColumns:[apiextensions.CustomResourceColumnDefinition]@6 selectableFields:[apiextensions.SelectableField]@9
apiextensions.CustomResourceSubresourceScale specReplicasPath:string@1* statusReplicasPath:string@2* labelSelectorPath:string@3&
apiextensions.CustomResourceSubresourceStatus 
apiextensions.CustomResourceSubresources status:apiextensions.CustomResourceSubresourceStatus@1& scale:apiextensions.CustomResourceSubresourceScale@2&
apiextensions.CustomResourceValidation openAPIV3Schema:apiextensions.JSONSchemaProps@1&
apiextensions.ExternalDocumentation description:string@1 url:string@2
apiextensions.JSONSchemaProps id:string@1 $schema:string@2 $ref:string@3& description:string@4 type:string@5 format:string@6 title:string@7 default:any@8& maximum:number@9& exclusiveMaximum:bool@10 minimum:number@11& exclusiveMinimum:bool@12 maxLength:int64@13& minLength:int64@14& pattern:string@15 maxItems:int64@16& minItems:int64@17& uniqueItems:bool@18 multipleOf:number@19& enum:[any]@20 maxProperties:int64@21& minProperties:int64@22& required:[string]@23 items:schemaorarray@24& allOf:[apiextensions.JSONSchemaProps]@25 oneOf:[apiextensions.JSONSchemaProps]@26 anyOf:[apiextensions.JSONSchemaProps]@27 not:apiextensions.JSONSchemaProps@28& properties:{apiextensions.JSONSchemaProps}@29 additionalProperties:schemaorbool@30& patternProperties:{apiextensions.JSONSchemaProps}@31 dependencies:{schemaorstrings}@32 additionalItems:schemaorbool@33& definitions:{apiextensions.JSONSchemaProps}@34 externalDocs:apiextensions.ExternalDocumentation@35& example:any@36& nullable:bool@37 x-kubernetes-preserve-unknown-fields:bool@38& x-kubernetes-embedded-resource:bool@39 x-kubernetes-int-or-string:bool@40 x-kubernetes-list-map-keys:[string]@41 x-kubernetes-list-type:string@42& x-kubernetes-map-type:string@43& x-kubernetes-validations:[apiextensions.ValidationRule]@44#rule~rule
apiextensions.SelectableField jsonPath:string@1*
apiextensions.ServiceReference namespace:string@1* name:string@2* path:string@3& port:int@4&
apiextensions.ValidationRule rule:string@1* message:string@2 messageExpression:string@3 reason:string@4& fieldPath:string@5 optionalOldSelf:bool@6&
apiextensions.WebhookClientConfig url:string@3& service:apiextensions.ServiceReference@1& caBundle:bytes@2
apiextensions.WebhookConversion clientConfig:apiextensions.WebhookClientConfig@2& conversionReviewVersions:[string]@3*
apps.DaemonSet kind:string apiVersion:string metadata:meta.ObjectMeta@1 spec:apps.DaemonSetSpec@2 status:apps.DaemonSetStatus@3
apps.DaemonSetCondition type:string@1* status:string@2* lastTransitionTime:time@3 reason:string@4 message:string@5
apps.DaemonSetSpec selector:meta.LabelSelector@1&!* template:core.PodTemplateSpec@2* updateStrategy:apps.DaemonSetUpdateStrategy@3 minReadySeconds:int@4 revisionHistoryLimit:int@6&
apps.DaemonSetStatus currentNumberScheduled:int@1* numberMisscheduled:int@2* desiredNumberScheduled:int@3* numberReady:int@4* observedGeneration:int64@5 updatedNumberScheduled:int@6 numberAvailable:int@7 numberUnavailable:int@8 collisionCount:int@9& conditions:[apps.DaemonSetCondition]@10#type~type
apps.DaemonSetUpdateStrategy type:string@1 rollingUpdate:apps.RollingUpdateDaemonSet@2&
apps.Deployment kind:string apiVersion:string metadata:meta.ObjectMeta@1 spec:apps.DeploymentSpec@2 status:apps.DeploymentStatus@3
apps.DeploymentCondition type:string@1* status:string@2* lastUpdateTime:time@6 lastTransitionTime:time@7 reason:string@4 message:string@5
apps.DeploymentSpec replicas:int@1& selector:meta.LabelSelector@2&!* template:core.PodTemplateSpec@3* strategy:apps.DeploymentStrategy@4^ minReadySeconds:int@5 revisionHistoryLimit:int@6& paused:bool@7 progressDeadlineSeconds:int@9&
apps.DeploymentStatus observedGeneration:int64@1 replicas:int@2 updatedReplicas:int@3 readyReplicas:int@7 availableReplicas:int@4 unavailableReplicas:int@5 terminatingReplicas:int@9& conditions:[apps.DeploymentCondition]@6#type~type collisionCount:int@8&
apps.DeploymentStrategy type:string@1 rollingUpdate:apps.RollingUpdateDeployment@2&
apps.ReplicaSet kind:string apiVersion:string metadata:meta.ObjectMeta@1 spec:apps.ReplicaSetSpec@2 status:apps.ReplicaSetStatus@3
apps.ReplicaSetCondition type:string@1* status:string@2* lastTransitionTime:time@3 reason:string@4 message:string@5
apps.ReplicaSetSpec replicas:int@1& minReadySeconds:int@4 selector:meta.LabelSelector@2&!* template:core.PodTemplateSpec@3
apps.ReplicaSetStatus replicas:int@1* fullyLabeledReplicas:int@2 readyReplicas:int@4 availableReplicas:int@5 terminatingReplicas:int@7& observedGeneration:int64@3 conditions:[apps.ReplicaSetCondition]@6#type~type
apps.RollingUpdateDaemonSet maxUnavailable:intorstring@1& maxSurge:intorstring@2&
apps.RollingUpdateDeployment maxUnavailable:intorstring@1& maxSurge:intorstring@2&
apps.RollingUpdateStatefulSetStrategy partition:int@1& maxUnavailable:intorstring@2&
apps.StatefulSet kind:string apiVersion:string metadata:meta.ObjectMeta@1 spec:apps.StatefulSetSpec@2 status:apps.StatefulSetStatus@3
apps.StatefulSetCondition type:string@1* status:string@2* lastTransitionTime:time@3 reason:string@4 message:string@5
apps.StatefulSetOrdinals start:int@1
apps.StatefulSetPersistentVolumeClaimRetentionPolicy whenDeleted:string@1 whenScaled:string@2
apps.StatefulSetSpec replicas:int@1& selector:meta.LabelSelector@2&!* template:core.PodTemplateSpec@3* volumeClaimTemplates:[core.PersistentVolumeClaim]@4 serviceName:string@5 podManagementPolicy:string@6 updateStrategy:apps.StatefulSetUpdateStrategy@7 revisionHistoryLimit:int@8& minReadySeconds:int@9 persistentVolumeClaimRetentionPolicy:apps.StatefulSetPersistentVolumeClaimRetentionPolicy@10& ordinals:apps.StatefulSetOrdinals@11&
apps.StatefulSetStatus observedGeneration:int64@1 replicas:int@2* readyReplicas:int@3 currentReplicas:int@4 updatedReplicas:int@5 currentRevision:string@6 updateRevision:string@7 collisionCount:int@9& conditions:[apps.StatefulSetCondition]@10#type~type availableReplicas:int@11
apps.StatefulSetUpdateStrategy type:string@1 rollingUpdate:apps.RollingUpdateStatefulSetStrategy@2&
authentication.SelfSubjectReview kind:string apiVersion:string metadata:meta.ObjectMeta@1 status:authentication.SelfSubjectReviewStatus@2
authentication.SelfSubjectReviewStatus userInfo:authentication.UserInfo@1
authentication.TokenReview kind:string apiVersion:string metadata:meta.ObjectMeta@1 spec:authentication.TokenReviewSpec@2* status:authentication.TokenReviewStatus@3
authentication.TokenReviewSpec token:string@1 audiences:[string]@2
authentication.TokenReviewStatus authenticated:bool@1 user:authentication.UserInfo@2 audiences:[string]@4 error:string@3
authentication.UserInfo username:string@1 uid:string@2 groups:[string]@3 extra:{[string]}@4
authorization.FieldSelectorAttributes rawSelector:string@1 requirements:[meta.FieldSelectorRequirement]@2
authorization.LabelSelectorAttributes rawSelector:string@1 requirements:[meta.LabelSelectorRequirement]@2
authorization.LocalSubjectAccessReview kind:string apiVersion:string metadata:meta.ObjectMeta@1 spec:authorization.SubjectAccessReviewSpec@2* status:authorization.SubjectAccessReviewStatus@3
authorization.NonResourceAttributes path:string@1 verb:string@2
authorization.NonResourceRule verbs:[string]@1* nonResourceURLs:[string]@2
authorization.ResourceAttributes namespace:string@1 verb:string@2 group:string@3 version:string@4 resource:string@5 subresource:string@6 name:string@7 fieldSelector:authorization.FieldSelectorAttributes@8& labelSelector:authorization.LabelSelectorAttributes@9&
authorization.ResourceRule verbs:[string]@1* apiGroups:[string]@2 resources:[string]@3 resourceNames:[string]@4
authorization.SelfSubjectAccessReview kind:string apiVersion:string metadata:meta.ObjectMeta@1 spec:authorization.SelfSubjectAccessReviewSpec@2* status:authorization.SubjectAccessReviewStatus@3
authorization.SelfSubjectAccessReviewSpec resourceAttributes:authorization.ResourceAttributes@1& nonResourceAttributes:authorization.NonResourceAttributes@2&
authorization.SelfSubjectRulesReview kind:string apiVersion:string metadata:meta.ObjectMeta@1 spec:authorization.SelfSubjectRulesReviewSpec@2* status:authorization.SubjectRulesReviewStatus@3
authorization.SelfSubjectRulesReviewSpec namespace:string@1
authorization.SubjectAccessReview kind:string apiVersion:string metadata:meta.ObjectMeta@1 spec:authorization.SubjectAccessReviewSpec@2* status:authorization.SubjectAccessReviewStatus@3
authorization.SubjectAccessReviewSpec resourceAttributes:authorization.ResourceAttributes@1& nonResourceAttributes:authorization.NonResourceAttributes@2& user:string@3 groups:[string]@4 extra:{[string]}@5 uid:string@6
authorization.SubjectAccessReviewStatus allowed:bool@1* denied:bool@4 reason:string@2 evaluationError:string@3
authorization.SubjectRulesReviewStatus resourceRules:[authorization.ResourceRule]@1* nonResourceRules:[authorization.NonResourceRule]@2* incomplete:bool@3* evaluationError:string@4
autoscaling.CrossVersionObjectReference kind:string@1* name:string@2* apiVersion:string@3
autoscaling.HorizontalPodAutoscaler kind:string apiVersion:string metadata:meta.ObjectMeta@1 spec:autoscaling.HorizontalPodAutoscalerSpec@2 status:autoscaling.HorizontalPodAutoscalerStatus@3
autoscaling.HorizontalPodAutoscalerSpec scaleTargetRef:autoscaling.CrossVersionObjectReference@1!* minReplicas:int@2& maxReplicas:int@3* targetCPUUtilizationPercentage:int@4&
autoscaling.HorizontalPodAutoscalerStatus observedGeneration:int64@1& lastScaleTime:time@2& currentReplicas:int@3* desiredReplicas:int@4* currentCPUUtilizationPercentage:int@5&
autoscaling.Scale kind:string apiVersion:string metadata:meta.ObjectMeta@1 spec:autoscaling.ScaleSpec@2 status:autoscaling.ScaleStatus@3
autoscaling.ScaleSpec replicas:int@1
autoscaling.ScaleStatus replicas:int@1* selector:string@2
autoscaling2.ContainerResourceMetricSource name:string@1* target:autoscaling2.MetricTarget@2* container:string@3*
autoscaling2.ContainerResourceMetricStatus name:string@1* current:autoscaling2.MetricValueStatus@2* container:string@3*
autoscaling2.CrossVersionObjectReference kind:string@1* name:string@2* apiVersion:string@3
autoscaling2.ExternalMetricSource metric:autoscaling2.MetricIdentifier@1* target:autoscaling2.MetricTarget@2*
autoscaling2.ExternalMetricStatus metric:autoscaling2.MetricIdentifier@1* current:autoscaling2.MetricValueStatus@2*
autoscaling2.HPAScalingPolicy type:string@1* value:int@2* periodSeconds:int@3*
autoscaling2.HPAScalingRules stabilizationWindowSeconds:int@3& selectPolicy:string@1& policies:[autoscaling2.HPAScalingPolicy]@2 tolerance:quantity@4&
autoscaling2.HorizontalPodAutoscaler kind:string apiVersion:string metadata:meta.ObjectMeta@1 spec:autoscaling2.HorizontalPodAutoscalerSpec@2 status:autoscaling2.HorizontalPodAutoscalerStatus@3
autoscaling2.HorizontalPodAutoscalerBehavior scaleUp:autoscaling2.HPAScalingRules@1& scaleDown:autoscaling2.HPAScalingRules@2&
autoscaling2.HorizontalPodAutoscalerCondition type:string@1* status:string@2* lastTransitionTime:time@3 reason:string@4 message:string@5
autoscaling2.HorizontalPodAutoscalerSpec scaleTargetRef:autoscaling2.CrossVersionObjectReference@1* minReplicas:int@2& maxReplicas:int@3* metrics:[autoscaling2.MetricSpec]@4 behavior:autoscaling2.HorizontalPodAutoscalerBehavior@5&
autoscaling2.HorizontalPodAutoscalerStatus observedGeneration:int64@1& lastScaleTime:time@2& currentReplicas:int@3 desiredReplicas:int@4* currentMetrics:[autoscaling2.MetricStatus]@5 conditions:[autoscaling2.HorizontalPodAutoscalerCondition]@6#type~type
autoscaling2.MetricIdentifier name:string@1* selector:meta.LabelSelector@2&!
autoscaling2.MetricSpec type:string@1* object:autoscaling2.ObjectMetricSource@2& pods:autoscaling2.PodsMetricSource@3& resource:autoscaling2.ResourceMetricSource@4& containerResource:autoscaling2.ContainerResourceMetricSource@7& external:autoscaling2.ExternalMetricSource@5&
autoscaling2.MetricStatus type:string@1* object:autoscaling2.ObjectMetricStatus@2& pods:autoscaling2.PodsMetricStatus@3& resource:autoscaling2.ResourceMetricStatus@4& containerResource:autoscaling2.ContainerResourceMetricStatus@7& external:autoscaling2.ExternalMetricStatus@5&
autoscaling2.MetricTarget type:string@1* value:quantity@2& averageValue:quantity@3& averageUtilization:int@4&
autoscaling2.MetricValueStatus value:quantity@1& averageValue:quantity@2& averageUtilization:int@3&
autoscaling2.ObjectMetricSource describedObject:autoscaling2.CrossVersionObjectReference@1* target:autoscaling2.MetricTarget@2* metric:autoscaling2.MetricIdentifier@3*
autoscaling2.ObjectMetricStatus metric:autoscaling2.MetricIdentifier@1* current:autoscaling2.MetricValueStatus@2* describedObject:autoscaling2.CrossVersionObjectReference@3*
autoscaling2.PodsMetricSource metric:autoscaling2.MetricIdentifier@1* target:autoscaling2.MetricTarget@2*
autoscaling2.PodsMetricStatus metric:autoscaling2.MetricIdentifier@1* current:autoscaling2.MetricValueStatus@2*
autoscaling2.ResourceMetricSource name:string@1* target:autoscaling2.MetricTarget@2*
autoscaling2.ResourceMetricStatus name:string@1* current:autoscaling2.MetricValueStatus@2*
batch.CronJob kind:string apiVersion:string metadata:meta.ObjectMeta@1 spec:batch.CronJobSpec@2 status:batch.CronJobStatus@3
batch.CronJobSpec schedule:string@1* timeZone:string@8& startingDeadlineSeconds:int64@2& concurrencyPolicy:string@3 suspend:bool@4& jobTemplate:batch.JobTemplateSpec@5* successfulJobsHistoryLimit:int@6& failedJobsHistoryLimit:int@7&
batch.CronJobStatus active:[core.ObjectReference]@1 lastScheduleTime:time@4& lastSuccessfulTime:time@5&
batch.Job kind:string apiVersion:string metadata:meta.ObjectMeta@1 spec:batch.JobSpec@2 status:batch.JobStatus@3
batch.JobCondition type:string@1* status:string@2* lastProbeTime:time@3 lastTransitionTime:time@4 reason:string@5 message:string@6
batch.JobSpec parallelism:int@1& completions:int@2& activeDeadlineSeconds:int64@3& podFailurePolicy:batch.PodFailurePolicy@11& successPolicy:batch.SuccessPolicy@16& backoffLimit:int@7& backoffLimitPerIndex:int@12& maxFailedIndexes:int@13& selector:meta.LabelSelector@4&! manualSelector:bool@5& template:core.PodTemplateSpec@6* ttlSecondsAfterFinished:int@8& completionMode:string@9& suspend:bool@10& podReplacementPolicy:string@14& managedBy:string@15&
batch.JobStatus conditions:[batch.JobCondition]@1~type startTime:time@2& completionTime:time@3& active:int@4 succeeded:int@5 failed:int@6 terminating:int@11& completedIndexes:string@7 failedIndexes:string@10& uncountedTerminatedPods:batch.UncountedTerminatedPods@8& ready:int@9&
batch.JobTemplateSpec metadata:meta.ObjectMeta@1 spec:batch.JobSpec@2
batch.PodFailurePolicy rules:[batch.PodFailurePolicyRule]@1*
batch.PodFailurePolicyOnExitCodesRequirement containerName:string@1& operator:string@2* values:[int]@3#*
batch.PodFailurePolicyOnPodConditionsPattern type:string@1* status:string@2
batch.PodFailurePolicyRule action:string@1* onExitCodes:batch.PodFailurePolicyOnExitCodesRequirement@2& onPodConditions:[batch.PodFailurePolicyOnPodConditionsPattern]@3
batch.SuccessPolicy rules:[batch.SuccessPolicyRule]@1*
batch.SuccessPolicyRule succeededIndexes:string@1& succeededCount:int@2&
batch.UncountedTerminatedPods succeeded:[string]@1# failed:[string]@2#
coordination.Lease kind:string apiVersion:string metadata:meta.ObjectMeta@1 spec:coordination.LeaseSpec@2
coordination.LeaseSpec holderIdentity:string@1& leaseDurationSeconds:int@2& acquireTime:microtime@3& renewTime:microtime@4& leaseTransitions:int@5& strategy:string@6& preferredHolder:string@7&
core.AWSElasticBlockStoreVolumeSource volumeID:string@1* fsType:string@2 partition:int@3 readOnly:bool@4
core.Affinity nodeAffinity:core.NodeAffinity@1& podAffinity:core.PodAffinity@2& podAntiAffinity:core.PodAntiAffinity@3&
core.AppArmorProfile type:string@1* localhostProfile:string@2&
core.AttachedVolume name:string@1* devicePath:string@2*
core.AzureDiskVolumeSource diskName:string@1* diskURI:string@2* cachingMode:string@3& fsType:string@4&=ext4 readOnly:bool@5& kind:string@6&
core.AzureFilePersistentVolumeSource secretName:string@1* shareName:string@2* readOnly:bool@3 secretNamespace:string@4&
core.AzureFileVolumeSource secretName:string@1* shareName:string@2* readOnly:bool@3
core.CSIPersistentVolumeSource driver:string@1* volumeHandle:string@2* readOnly:bool@3 fsType:string@4 volumeAttributes:{string}@5 controllerPublishSecretRef:core.SecretReference@6&! nodeStageSecretRef:core.SecretReference@7&! nodePublishSecretRef:core.SecretReference@8&! controllerExpandSecretRef:core.SecretReference@9&! nodeExpandSecretRef:core.SecretReference@10&!
core.CSIVolumeSource driver:string@1* readOnly:bool@2& fsType:string@3& volumeAttributes:{string}@4 nodePublishSecretRef:core.LocalObjectReference@5&!
core.Capabilities add:[string]@1 drop:[string]@2
core.CephFSPersistentVolumeSource monitors:[string]@1* path:string@2 user:string@3 secretFile:string@4 secretRef:core.SecretReference@5&! readOnly:bool@6
core.CephFSVolumeSource monitors:[string]@1* path:string@2 user:string@3 secretFile:string@4 secretRef:core.LocalObjectReference@5&! readOnly:bool@6
core.CinderPersistentVolumeSource volumeID:string@1* fsType:string@2 readOnly:bool@3 secretRef:core.SecretReference@4&!
core.CinderVolumeSource volumeID:string@1* fsType:string@2 readOnly:bool@3 secretRef:core.LocalObjectReference@4&!
core.ClientIPConfig timeoutSeconds:int@1&
core.ClusterTrustBundleProjection name:string@1& signerName:string@2& labelSelector:meta.LabelSelector@3&! optional:bool@5& path:string@4*
core.ConfigMap kind:string apiVersion:string metadata:meta.ObjectMeta@1 immutable:bool@4& data:{string}@2 binaryData:{bytes}@3
core.ConfigMapEnvSource name:string@1.1 optional:bool@2&
core.ConfigMapKeySelector name:string@1.1 key:string@2* optional:bool@3&
core.ConfigMapNodeConfigSource namespace:string@1* name:string@2* uid:string@3 resourceVersion:string@4 kubeletConfigKey:string@5*
core.ConfigMapProjection name:string@1.1 items:[core.KeyToPath]@2 optional:bool@4&
core.ConfigMapVolumeSource name:string@1.1 items:[core.KeyToPath]@2 defaultMode:int@3& optional:bool@4&
core.Container name:string@1* image:string@2 command:[string]@3 args:[string]@4 workingDir:string@5 ports:[core.ContainerPort]@6#containerPort,protocol~containerPort envFrom:[core.EnvFromSource]@19 env:[core.EnvVar]@7#name~name resources:core.ResourceRequirements@8 resizePolicy:[core.ContainerResizePolicy]@23 restartPolicy:string@24& restartPolicyRules:[core.ContainerRestartRule]@25 volumeMounts:[core.VolumeMount]@9#mountPath~mountPath volumeDevices:[core.VolumeDevice]@21#devicePath~devicePath livenessProbe:core.Probe@10& readinessProbe:core.Probe@11& startupProbe:core.Probe@22& lifecycle:core.Lifecycle@12& terminationMessagePath:string@13 terminationMessagePolicy:string@20 imagePullPolicy:string@14 securityContext:core.SecurityContext@15& stdin:bool@16 stdinOnce:bool@17 tty:bool@18
core.ContainerExtendedResourceRequest containerName:string@1* resourceName:string@2* requestName:string@3*
core.ContainerImage names:[string]@1 sizeBytes:int64@2
core.ContainerPort name:string@1 hostPort:int@2 containerPort:int@3* protocol:string@4=TCP hostIP:string@5
core.ContainerResizePolicy resourceName:string@1* restartPolicy:string@2*
core.ContainerRestartRule action:string@1 exitCodes:core.ContainerRestartRuleOnExitCodes@2&
core.ContainerRestartRuleOnExitCodes operator:string@1 values:[int]@2#
core.ContainerState waiting:core.ContainerStateWaiting@1& running:core.ContainerStateRunning@2& terminated:core.ContainerStateTerminated@3&
core.ContainerStateRunning startedAt:time@1
core.ContainerStateTerminated exitCode:int@1* signal:int@2 reason:string@3 message:string@4 startedAt:time@5 finishedAt:time@6 containerID:string@7
core.ContainerStateWaiting reason:string@1 message:string@2
core.ContainerStatus name:string@1* state:core.ContainerState@2 lastState:core.ContainerState@3 ready:bool@4* restartCount:int@5* image:string@6* imageID:string@7* containerID:string@8 started:bool@9& allocatedResources:{quantity}@10 resources:core.ResourceRequirements@11& volumeMounts:[core.VolumeMountStatus]@12#mountPath~mountPath user:core.ContainerUser@13& allocatedResourcesStatus:[core.ResourceStatus]@14#name~name stopSignal:string@15&
core.ContainerUser linux:core.LinuxContainerUser@1&
core.DaemonEndpoint Port:int@1*
core.DownwardAPIProjection items:[core.DownwardAPIVolumeFile]@1
core.DownwardAPIVolumeFile path:string@1* fieldRef:core.ObjectFieldSelector@2&! resourceFieldRef:core.ResourceFieldSelector@3&! mode:int@4&
core.DownwardAPIVolumeSource items:[core.DownwardAPIVolumeFile]@1 defaultMode:int@2&
core.EmptyDirVolumeSource medium:string@1 sizeLimit:quantity@2&
core.EndpointAddress ip:string@1* hostname:string@3 nodeName:string@4& targetRef:core.ObjectReference@2&!
core.EndpointPort name:string@1 port:int@2* protocol:string@3 appProtocol:string@4&
core.EndpointSubset addresses:[core.EndpointAddress]@1 notReadyAddresses:[core.EndpointAddress]@2 ports:[core.EndpointPort]@3
core.Endpoints kind:string apiVersion:string metadata:meta.ObjectMeta@1 subsets:[core.EndpointSubset]@2
core.EnvFromSource prefix:string@1 configMapRef:core.ConfigMapEnvSource@2& secretRef:core.SecretEnvSource@3&
core.EnvVar name:string@1* value:string@2 valueFrom:core.EnvVarSource@3&
core.EnvVarSource fieldRef:core.ObjectFieldSelector@1&! resourceFieldRef:core.ResourceFieldSelector@2&! configMapKeyRef:core.ConfigMapKeySelector@3&! secretKeyRef:core.SecretKeySelector@4&! fileKeyRef:core.FileKeySelector@5&!
core.EphemeralContainer name:string@1.1* image:string@1.2 command:[string]@1.3 args:[string]@1.4 workingDir:string@1.5 ports:[core.ContainerPort]@1.6#containerPort,protocol~containerPort envFrom:[core.EnvFromSource]@1.19 env:[core.EnvVar]@1.7#name~name resources:core.ResourceRequirements@1.8 resizePolicy:[core.ContainerResizePolicy]@1.23 restartPolicy:string@1.24& restartPolicyRules:[core.ContainerRestartRule]@1.25 volumeMounts:[core.VolumeMount]@1.9#mountPath~mountPath volumeDevices:[core.VolumeDevice]@1.21#devicePath~devicePath livenessProbe:core.Probe@1.10& readinessProbe:core.Probe@1.11& startupProbe:core.Probe@1.22& lifecycle:core.Lifecycle@1.12& terminationMessagePath:string@1.13 terminationMessagePolicy:string@1.20 imagePullPolicy:string@1.14 securityContext:core.SecurityContext@1.15& stdin:bool@1.16 stdinOnce:bool@1.17 tty:bool@1.18 targetContainerName:string@2
core.EphemeralVolumeSource volumeClaimTemplate:core.PersistentVolumeClaimTemplate@1&
core.Event kind:string apiVersion:string metadata:meta.ObjectMeta@1* involvedObject:core.ObjectReference@2!* reason:string@3 message:string@4 source:core.EventSource@5 firstTimestamp:time@6 lastTimestamp:time@7 count:int@8 type:string@9 eventTime:microtime@10 series:core.EventSeries@11& action:string@12 related:core.ObjectReference@13&! reportingComponent:string@14 reportingInstance:string@15
core.EventSeries count:int@1 lastObservedTime:microtime@2
core.EventSource component:string@1 host:string@2
core.ExecAction command:[string]@1
core.FCVolumeSource targetWWNs:[string]@1 lun:int@2& fsType:string@3 readOnly:bool@4 wwids:[string]@5
core.FileKeySelector volumeName:string@1* path:string@2* key:string@3* optional:bool@4&
core.FlexPersistentVolumeSource driver:string@1* fsType:string@2 secretRef:core.SecretReference@3&! readOnly:bool@4 options:{string}@5
core.FlexVolumeSource driver:string@1* fsType:string@2 secretRef:core.LocalObjectReference@3&! readOnly:bool@4 options:{string}@5
core.FlockerVolumeSource datasetName:string@1 datasetUUID:string@2
core.GCEPersistentDiskVolumeSource pdName:string@1* fsType:string@2 partition:int@3 readOnly:bool@4
core.GRPCAction port:int@1* service:string@2&
core.GitRepoVolumeSource repository:string@1* revision:string@2 directory:string@3
core.GlusterfsPersistentVolumeSource endpoints:string@1* path:string@2* readOnly:bool@3 endpointsNamespace:string@4&
core.GlusterfsVolumeSource endpoints:string@1* path:string@2* readOnly:bool@3
core.HTTPGetAction path:string@1 port:intorstring@2* host:string@3 scheme:string@4 httpHeaders:[core.HTTPHeader]@5
core.HTTPHeader name:string@1* value:string@2*
core.HostAlias ip:string@1* hostnames:[string]@2
core.HostIP ip:string@1*
core.HostPathVolumeSource path:string@1* type:string@2&
core.ISCSIPersistentVolumeSource targetPortal:string@1* iqn:string@2* lun:int@3* iscsiInterface:string@4=default fsType:string@5 readOnly:bool@6 portals:[string]@7 chapAuthDiscovery:bool@8 chapAuthSession:bool@11 secretRef:core.SecretReference@10&! initiatorName:string@12&
core.ISCSIVolumeSource targetPortal:string@1* iqn:string@2* lun:int@3* iscsiInterface:string@4=default fsType:string@5 readOnly:bool@6 portals:[string]@7 chapAuthDiscovery:bool@8 chapAuthSession:bool@11 secretRef:core.LocalObjectReference@10&! initiatorName:string@12&
core.ImageVolumeSource reference:string@1 pullPolicy:string@2
core.ImageVolumeStatus imageRef:string@1
core.KeyToPath key:string@1* path:string@2* mode:int@3&
core.Lifecycle postStart:core.LifecycleHandler@1& preStop:core.LifecycleHandler@2& stopSignal:string@3&
core.LifecycleHandler exec:core.ExecAction@1& httpGet:core.HTTPGetAction@2& tcpSocket:core.TCPSocketAction@3& sleep:core.SleepAction@4&
core.LimitRange kind:string apiVersion:string metadata:meta.ObjectMeta@1 spec:core.LimitRangeSpec@2
core.LimitRangeItem type:string@1* max:{quantity}@2 min:{quantity}@3 default:{quantity}@4 defaultRequest:{quantity}@5 maxLimitRequestRatio:{quantity}@6
core.LimitRangeSpec limits:[core.LimitRangeItem]@1*
core.LinuxContainerUser uid:int64@1* gid:int64@2* supplementalGroups:[int64]@3
core.LoadBalancerIngress ip:string@1 hostname:string@2 ipMode:string@3& ports:[core.PortStatus]@4
core.LoadBalancerStatus ingress:[core.LoadBalancerIngress]@1
core.LocalObjectReference name:string@1
core.LocalVolumeSource path:string@1* fsType:string@2&
core.ModifyVolumeStatus targetVolumeAttributesClassName:string@1 status:string@2*
core.NFSVolumeSource server:string@1* path:string@2* readOnly:bool@3
core.Namespace kind:string apiVersion:string metadata:meta.ObjectMeta@1 spec:core.NamespaceSpec@2 status:core.NamespaceStatus@3
core.NamespaceCondition type:string@1* status:string@2* lastTransitionTime:time@4 reason:string@5 message:string@6
core.NamespaceSpec finalizers:[string]@1
core.NamespaceStatus phase:string@1 conditions:[core.NamespaceCondition]@2#type~type
core.Node kind:string apiVersion:string metadata:meta.ObjectMeta@1 spec:core.NodeSpec@2 status:core.NodeStatus@3
core.NodeAddress type:string@1* address:string@2*
core.NodeAffinity requiredDuringSchedulingIgnoredDuringExecution:core.NodeSelector@1&! preferredDuringSchedulingIgnoredDuringExecution:[core.PreferredSchedulingTerm]@2
core.NodeAllocatableResourceClaimStatus resourceClaimName:string@1* containers:[string]@2# resources:{quantity}@3*
core.NodeCondition type:string@1* status:string@2* lastHeartbeatTime:time@3 lastTransitionTime:time@4 reason:string@5 message:string@6
core.NodeConfigSource configMap:core.ConfigMapNodeConfigSource@2&
core.NodeConfigStatus assigned:core.NodeConfigSource@1& active:core.NodeConfigSource@2& lastKnownGood:core.NodeConfigSource@3& error:string@4
core.NodeDaemonEndpoints kubeletEndpoint:core.DaemonEndpoint@1
core.NodeFeatures supplementalGroupsPolicy:bool@1&
core.NodeRuntimeHandler name:string@1 features:core.NodeRuntimeHandlerFeatures@2&
core.NodeRuntimeHandlerFeatures recursiveReadOnlyMounts:bool@1& userNamespaces:bool@2&
core.NodeSelector nodeSelectorTerms:[core.NodeSelectorTerm]@1*
core.NodeSelectorRequirement key:string@1* operator:string@2* values:[string]@3
core.NodeSelectorTerm matchExpressions:[core.NodeSelectorRequirement]@1 matchFields:[core.NodeSelectorRequirement]@2
core.NodeSpec podCIDR:string@1 podCIDRs:[string]@7#~ providerID:string@3 unschedulable:bool@4 taints:[core.Taint]@5 configSource:core.NodeConfigSource@6& externalID:string@2
core.NodeStatus capacity:{quantity}@1 allocatable:{quantity}@2 phase:string@3 conditions:[core.NodeCondition]@4#type~type addresses:[core.NodeAddress]@5#type~type daemonEndpoints:core.NodeDaemonEndpoints@6 nodeInfo:core.NodeSystemInfo@7 images:[core.ContainerImage]@8 volumesInUse:[string]@9 volumesAttached:[core.AttachedVolume]@10 config:core.NodeConfigStatus@11& runtimeHandlers:[core.NodeRuntimeHandler]@12 features:core.NodeFeatures@13& declaredFeatures:[string]@14
core.NodeSwapStatus capacity:int64@1&
core.NodeSystemInfo machineID:string@1* systemUUID:string@2* bootID:string@3* kernelVersion:string@4* osImage:string@5* containerRuntimeVersion:string@6* kubeletVersion:string@7* kubeProxyVersion:string@8* operatingSystem:string@9* architecture:string@10* swap:core.NodeSwapStatus@11&
core.ObjectFieldSelector apiVersion:string@1 fieldPath:string@2*
core.ObjectReference kind:string@1 namespace:string@2 name:string@3 uid:string@4 apiVersion:string@5 resourceVersion:string@6 fieldPath:string@7
core.PersistentVolume kind:string apiVersion:string metadata:meta.ObjectMeta@1 spec:core.PersistentVolumeSpec@2 status:core.PersistentVolumeStatus@3
core.PersistentVolumeClaim kind:string apiVersion:string metadata:meta.ObjectMeta@1 spec:core.PersistentVolumeClaimSpec@2 status:core.PersistentVolumeClaimStatus@3
core.PersistentVolumeClaimCondition type:string@1* status:string@2* lastProbeTime:time@3 lastTransitionTime:time@4 reason:string@5 message:string@6
core.PersistentVolumeClaimSpec accessModes:[string]@1 selector:meta.LabelSelector@4&! resources:core.VolumeResourceRequirements@2 volumeName:string@3 storageClassName:string@5& volumeMode:string@6& dataSource:core.TypedLocalObjectReference@7&! dataSourceRef:core.TypedObjectReference@8& volumeAttributesClassName:string@9&
core.PersistentVolumeClaimStatus phase:string@1 accessModes:[string]@2 capacity:{quantity}@3 conditions:[core.PersistentVolumeClaimCondition]@4#type~type allocatedResources:{quantity}@5 allocatedResourceStatuses:{string}@7 currentVolumeAttributesClassName:string@8& modifyVolumeStatus:core.ModifyVolumeStatus@9&
core.PersistentVolumeClaimTemplate metadata:meta.ObjectMeta@1 spec:core.PersistentVolumeClaimSpec@2*
core.PersistentVolumeClaimVolumeSource claimName:string@1* readOnly:bool@2
core.PersistentVolumeSpec capacity:{quantity}@1 gcePersistentDisk:core.GCEPersistentDiskVolumeSource@2.1& awsElasticBlockStore:core.AWSElasticBlockStoreVolumeSource@2.2& hostPath:core.HostPathVolumeSource@2.3& glusterfs:core.GlusterfsPersistentVolumeSource@2.4& nfs:core.NFSVolumeSource@2.5& rbd:core.RBDPersistentVolumeSource@2.6& iscsi:core.ISCSIPersistentVolumeSource@2.7& cinder:core.CinderPersistentVolumeSource@2.8& cephfs:core.CephFSPersistentVolumeSource@2.9& fc:core.FCVolumeSource@2.10& flocker:core.FlockerVolumeSource@2.11& flexVolume:core.FlexPersistentVolumeSource@2.12& azureFile:core.AzureFilePersistentVolumeSource@2.13& vsphereVolume:core.VsphereVirtualDiskVolumeSource@2.14& quobyte:core.QuobyteVolumeSource@2.15& azureDisk:core.AzureDiskVolumeSource@2.16& photonPersistentDisk:core.PhotonPersistentDiskVolumeSource@2.17& portworxVolume:core.PortworxVolumeSource@2.18& scaleIO:core.ScaleIOPersistentVolumeSource@2.19& local:core.LocalVolumeSource@2.20& storageos:core.StorageOSPersistentVolumeSource@2.21& csi:core.CSIPersistentVolumeSource@2.22& accessModes:[string]@3 claimRef:core.ObjectReference@4&! persistentVolumeReclaimPolicy:string@5 storageClassName:string@6 mountOptions:[string]@7 volumeMode:string@8& nodeAffinity:core.VolumeNodeAffinity@9& volumeAttributesClassName:string@10&
core.PersistentVolumeStatus phase:string@1 message:string@2 reason:string@3 lastPhaseTransitionTime:time@4&
core.PhotonPersistentDiskVolumeSource pdID:string@1* fsType:string@2
core.Pod kind:string apiVersion:string metadata:meta.ObjectMeta@1 spec:core.PodSpec@2 status:core.PodStatus@3
core.PodAffinity requiredDuringSchedulingIgnoredDuringExecution:[core.PodAffinityTerm]@1 preferredDuringSchedulingIgnoredDuringExecution:[core.WeightedPodAffinityTerm]@2
core.PodAffinityTerm labelSelector:meta.LabelSelector@1&! namespaces:[string]@2 topologyKey:string@3* namespaceSelector:meta.LabelSelector@4&! matchLabelKeys:[string]@5 mismatchLabelKeys:[string]@6
core.PodAntiAffinity requiredDuringSchedulingIgnoredDuringExecution:[core.PodAffinityTerm]@1 preferredDuringSchedulingIgnoredDuringExecution:[core.WeightedPodAffinityTerm]@2
core.PodCertificateProjection signerName:string@1 keyType:string@2 maxExpirationSeconds:int@3& credentialBundlePath:string@4 keyPath:string@5 certificateChainPath:string@6 userAnnotations:{string}@7
core.PodCondition type:string@1* observedGeneration:int64@7 status:string@2* lastProbeTime:time@3 lastTransitionTime:time@4 reason:string@5 message:string@6
core.PodDNSConfig nameservers:[string]@1 searches:[string]@2 options:[core.PodDNSConfigOption]@3
core.PodDNSConfigOption name:string@1 value:string@2&
core.PodExtendedResourceClaimStatus requestMappings:[core.ContainerExtendedResourceRequest]@1* resourceClaimName:string@2*
core.PodIP ip:string@1*
core.PodOS name:string@1*
core.PodReadinessGate conditionType:string@1*
core.PodResourceClaim name:string@1* resourceClaimName:string@3& resourceClaimTemplateName:string@4&
core.PodResourceClaimStatus name:string@1* resourceClaimName:string@2&
core.PodSchedulingGate name:string@1*
core.PodSchedulingGroup podGroupName:string@1&
core.PodSecurityContext seLinuxOptions:core.SELinuxOptions@1& windowsOptions:core.WindowsSecurityContextOptions@8& runAsUser:int64@2& runAsGroup:int64@6& runAsNonRoot:bool@3& supplementalGroups:[int64]@4 supplementalGroupsPolicy:string@12& fsGroup:int64@5& sysctls:[core.Sysctl]@7 fsGroupChangePolicy:string@9& seccompProfile:core.SeccompProfile@10& appArmorProfile:core.AppArmorProfile@11& seLinuxChangePolicy:string@13&
core.PodSpec volumes:[core.Volume]@1#name~name^ initContainers:[core.Container]@20#name~name containers:[core.Container]@2#name~name* ephemeralContainers:[core.EphemeralContainer]@34#name~name restartPolicy:string@3 terminationGracePeriodSeconds:int64@4& activeDeadlineSeconds:int64@5& dnsPolicy:string@6 nodeSelector:{string}@7! serviceAccountName:string@8 serviceAccount:string@9 automountServiceAccountToken:bool@21& nodeName:string@10 hostNetwork:bool@11 hostPID:bool@12 hostIPC:bool@13 shareProcessNamespace:bool@27& securityContext:core.PodSecurityContext@14& imagePullSecrets:[core.LocalObjectReference]@15#name~name hostname:string@16 subdomain:string@17 affinity:core.Affinity@18& schedulerName:string@19 tolerations:[core.Toleration]@22 hostAliases:[core.HostAlias]@23#ip~ip priorityClassName:string@24 priority:int@25& dnsConfig:core.PodDNSConfig@26& readinessGates:[core.PodReadinessGate]@28 runtimeClassName:string@29& enableServiceLinks:bool@30& preemptionPolicy:string@31& overhead:{quantity}@32 topologySpreadConstraints:[core.TopologySpreadConstraint]@33#topologyKey,whenUnsatisfiable~topologyKey setHostnameAsFQDN:bool@35& os:core.PodOS@36& hostUsers:bool@37& schedulingGates:[core.PodSchedulingGate]@38#name~name resourceClaims:[core.PodResourceClaim]@39#name~name^ resources:core.ResourceRequirements@40& hostnameOverride:string@41& schedulingGroup:core.PodSchedulingGroup@43&
core.PodStatus observedGeneration:int64@17 phase:string@1 conditions:[core.PodCondition]@2#type~type message:string@3 reason:string@4 nominatedNodeName:string@11 hostIP:string@5 hostIPs:[core.HostIP]@16~ip podIP:string@6 podIPs:[core.PodIP]@12#ip~ip startTime:time@7& initContainerStatuses:[core.ContainerStatus]@10 containerStatuses:[core.ContainerStatus]@8 qosClass:string@9 ephemeralContainerStatuses:[core.ContainerStatus]@13 resize:string@14 resourceClaimStatuses:[core.PodResourceClaimStatus]@15#name~name^ extendedResourceClaimStatus:core.PodExtendedResourceClaimStatus@18& allocatedResources:{quantity}@19 resources:core.ResourceRequirements@20& nodeAllocatableResourceClaimStatuses:[core.NodeAllocatableResourceClaimStatus]@21
core.PodTemplateSpec metadata:meta.ObjectMeta@1 spec:core.PodSpec@2
core.PortStatus port:int@1* protocol:string@2* error:string@3&
core.PortworxVolumeSource volumeID:string@1* fsType:string@2 readOnly:bool@3
core.PreferredSchedulingTerm weight:int@1* preference:core.NodeSelectorTerm@2!*
core.Probe exec:core.ExecAction@1.1& httpGet:core.HTTPGetAction@1.2& tcpSocket:core.TCPSocketAction@1.3& grpc:core.GRPCAction@1.4& initialDelaySeconds:int@2 timeoutSeconds:int@3 periodSeconds:int@4 successThreshold:int@5 failureThreshold:int@6 terminationGracePeriodSeconds:int64@7&
core.ProjectedVolumeSource sources:[core.VolumeProjection]@1 defaultMode:int@2&
core.QuobyteVolumeSource registry:string@1* volume:string@2* readOnly:bool@3 user:string@4 group:string@5 tenant:string@6
core.RBDPersistentVolumeSource monitors:[string]@1* image:string@2* fsType:string@3 pool:string@4=rbd user:string@5=admin keyring:string@6=/etc/ceph/keyring secretRef:core.SecretReference@7&! readOnly:bool@8
core.RBDVolumeSource monitors:[string]@1* image:string@2* fsType:string@3 pool:string@4=rbd user:string@5=admin keyring:string@6=/etc/ceph/keyring secretRef:core.LocalObjectReference@7&! readOnly:bool@8
core.ReplicationController kind:string apiVersion:string metadata:meta.ObjectMeta@1 spec:core.ReplicationControllerSpec@2 status:core.ReplicationControllerStatus@3
core.ReplicationControllerCondition type:string@1* status:string@2* lastTransitionTime:time@3 reason:string@4 message:string@5
core.ReplicationControllerSpec replicas:int@1& minReadySeconds:int@4 selector:{string}@2! template:core.PodTemplateSpec@3&
core.ReplicationControllerStatus replicas:int@1* fullyLabeledReplicas:int@2 readyReplicas:int@4 availableReplicas:int@5 observedGeneration:int64@3 conditions:[core.ReplicationControllerCondition]@6#type~type
core.ResourceClaim name:string@1* request:string@2
core.ResourceFieldSelector containerName:string@1 resource:string@2* divisor:quantity@3
core.ResourceHealth resourceID:string@1* health:string@2 message:string@6&
core.ResourceQuota kind:string apiVersion:string metadata:meta.ObjectMeta@1 spec:core.ResourceQuotaSpec@2 status:core.ResourceQuotaStatus@3
core.ResourceQuotaSpec hard:{quantity}@1 scopes:[string]@2 scopeSelector:core.ScopeSelector@3&!
core.ResourceQuotaStatus hard:{quantity}@1 used:{quantity}@2
core.ResourceRequirements limits:{quantity}@1 requests:{quantity}@2 claims:[core.ResourceClaim]@3#name
core.ResourceStatus name:string@1* resources:[core.ResourceHealth]@2#resourceID
core.SELinuxOptions user:string@1 role:string@2 type:string@3 level:string@4
core.ScaleIOPersistentVolumeSource gateway:string@1* system:string@2* secretRef:core.SecretReference@3&!* sslEnabled:bool@4 protectionDomain:string@5 storagePool:string@6 storageMode:string@7=ThinProvisioned volumeName:string@8 fsType:string@9=xfs readOnly:bool@10
core.ScaleIOVolumeSource gateway:string@1* system:string@2* secretRef:core.LocalObjectReference@3&!* sslEnabled:bool@4 protectionDomain:string@5 storagePool:string@6 storageMode:string@7=ThinProvisioned volumeName:string@8 fsType:string@9=xfs readOnly:bool@10
core.ScopeSelector matchExpressions:[core.ScopedResourceSelectorRequirement]@1
core.ScopedResourceSelectorRequirement scopeName:string@1* operator:string@2* values:[string]@3
core.SeccompProfile type:string@1* localhostProfile:string@2&
core.Secret kind:string apiVersion:string metadata:meta.ObjectMeta@1 immutable:bool@5& data:{bytes}@2 stringData:{string}@4 type:string@3
core.SecretEnvSource name:string@1.1 optional:bool@2&
core.SecretKeySelector name:string@1.1 key:string@2* optional:bool@3&
core.SecretProjection name:string@1.1 items:[core.KeyToPath]@2 optional:bool@4&
core.SecretReference name:string@1 namespace:string@2
core.SecretVolumeSource secretName:string@1 items:[core.KeyToPath]@2 defaultMode:int@3& optional:bool@4&
core.SecurityContext capabilities:core.Capabilities@1& privileged:bool@2& seLinuxOptions:core.SELinuxOptions@3& windowsOptions:core.WindowsSecurityContextOptions@10& runAsUser:int64@4& runAsGroup:int64@8& runAsNonRoot:bool@5& readOnlyRootFilesystem:bool@6& allowPrivilegeEscalation:bool@7& procMount:string@9& seccompProfile:core.SeccompProfile@11& appArmorProfile:core.AppArmorProfile@12&
core.Service kind:string apiVersion:string metadata:meta.ObjectMeta@1 spec:core.ServiceSpec@2 status:core.ServiceStatus@3
core.ServiceAccount kind:string apiVersion:string metadata:meta.ObjectMeta@1 secrets:[core.ObjectReference]@2#name~name imagePullSecrets:[core.LocalObjectReference]@3 automountServiceAccountToken:bool@4&
core.ServiceAccountTokenProjection audience:string@1 expirationSeconds:int64@2& path:string@3*
core.ServicePort name:string@1 protocol:string@2=TCP appProtocol:string@6& port:int@3* targetPort:intorstring@4 nodePort:int@5
core.ServiceSpec ports:[core.ServicePort]@1#port,protocol~port selector:{string}@2! clusterIP:string@3 clusterIPs:[string]@18 type:string@4 externalIPs:[string]@5 sessionAffinity:string@7 loadBalancerIP:string@8 loadBalancerSourceRanges:[string]@9 externalName:string@10 externalTrafficPolicy:string@11 healthCheckNodePort:int@12 publishNotReadyAddresses:bool@13 sessionAffinityConfig:core.SessionAffinityConfig@14& ipFamilies:[string]@19 ipFamilyPolicy:string@17& allocateLoadBalancerNodePorts:bool@20& loadBalancerClass:string@21& internalTrafficPolicy:string@22& trafficDistribution:string@23&
core.ServiceStatus loadBalancer:core.LoadBalancerStatus@1 conditions:[meta.Condition]@2#type~type
core.SessionAffinityConfig clientIP:core.ClientIPConfig@1&
core.SleepAction seconds:int64@1*
core.StorageOSPersistentVolumeSource volumeName:string@1 volumeNamespace:string@2 fsType:string@3 readOnly:bool@4 secretRef:core.ObjectReference@5&!
core.StorageOSVolumeSource volumeName:string@1 volumeNamespace:string@2 fsType:string@3 readOnly:bool@4 secretRef:core.LocalObjectReference@5&!
core.Sysctl name:string@1* value:string@2*
core.TCPSocketAction port:intorstring@1* host:string@2
core.Taint key:string@1* value:string@2 effect:string@3* timeAdded:time@4&
core.Toleration key:string@1 operator:string@2 value:string@3 effect:string@4 tolerationSeconds:int64@5&
core.TopologySelectorLabelRequirement key:string@1* values:[string]@2*
core.TopologySelectorTerm matchLabelExpressions:[core.TopologySelectorLabelRequirement]@1
core.TopologySpreadConstraint maxSkew:int@1* topologyKey:string@2* whenUnsatisfiable:string@3* labelSelector:meta.LabelSelector@4&! minDomains:int@5& nodeAffinityPolicy:string@6& nodeTaintsPolicy:string@7& matchLabelKeys:[string]@8
core.TypedLocalObjectReference apiGroup:string@1& kind:string@2* name:string@3*
core.TypedObjectReference apiGroup:string@1& kind:string@2* name:string@3* namespace:string@4&
core.Volume name:string@1* hostPath:core.HostPathVolumeSource@2.1& emptyDir:core.EmptyDirVolumeSource@2.2& gcePersistentDisk:core.GCEPersistentDiskVolumeSource@2.3& awsElasticBlockStore:core.AWSElasticBlockStoreVolumeSource@2.4& gitRepo:core.GitRepoVolumeSource@2.5& secret:core.SecretVolumeSource@2.6& nfs:core.NFSVolumeSource@2.7& iscsi:core.ISCSIVolumeSource@2.8& glusterfs:core.GlusterfsVolumeSource@2.9& persistentVolumeClaim:core.PersistentVolumeClaimVolumeSource@2.10& rbd:core.RBDVolumeSource@2.11& flexVolume:core.FlexVolumeSource@2.12& cinder:core.CinderVolumeSource@2.13& cephfs:core.CephFSVolumeSource@2.14& flocker:core.FlockerVolumeSource@2.15& downwardAPI:core.DownwardAPIVolumeSource@2.16& fc:core.FCVolumeSource@2.17& azureFile:core.AzureFileVolumeSource@2.18& configMap:core.ConfigMapVolumeSource@2.19& vsphereVolume:core.VsphereVirtualDiskVolumeSource@2.20& quobyte:core.QuobyteVolumeSource@2.21& azureDisk:core.AzureDiskVolumeSource@2.22& photonPersistentDisk:core.PhotonPersistentDiskVolumeSource@2.23& projected:core.ProjectedVolumeSource@2.26& portworxVolume:core.PortworxVolumeSource@2.24& scaleIO:core.ScaleIOVolumeSource@2.25& storageos:core.StorageOSVolumeSource@2.27& csi:core.CSIVolumeSource@2.28& ephemeral:core.EphemeralVolumeSource@2.29& image:core.ImageVolumeSource@2.30&
core.VolumeDevice name:string@1* devicePath:string@2*
core.VolumeMount name:string@1* readOnly:bool@2 recursiveReadOnly:string@7& mountPath:string@3* subPath:string@4 mountPropagation:string@5& subPathExpr:string@6
core.VolumeMountStatus name:string@1* mountPath:string@2* readOnly:bool@3 recursiveReadOnly:string@4& volumeStatus:core.VolumeStatus@5&
core.VolumeNodeAffinity required:core.NodeSelector@1&!
core.VolumeProjection secret:core.SecretProjection@1& downwardAPI:core.DownwardAPIProjection@2& configMap:core.ConfigMapProjection@3& serviceAccountToken:core.ServiceAccountTokenProjection@4& clusterTrustBundle:core.ClusterTrustBundleProjection@5& podCertificate:core.PodCertificateProjection@6&
core.VolumeResourceRequirements limits:{quantity}@1 requests:{quantity}@2
core.VolumeStatus image:core.ImageVolumeStatus@1&
core.VsphereVirtualDiskVolumeSource volumePath:string@1* fsType:string@2 storagePolicyName:string@3 storagePolicyID:string@4
core.WeightedPodAffinityTerm weight:int@1* podAffinityTerm:core.PodAffinityTerm@2*
core.WindowsSecurityContextOptions gmsaCredentialSpecName:string@1& gmsaCredentialSpec:string@2& runAsUserName:string@3& hostProcess:bool@4&
discovery.Endpoint addresses:[string]@1#* conditions:discovery.EndpointConditions@2 hostname:string@3& targetRef:core.ObjectReference@4&! deprecatedTopology:{string}@5 nodeName:string@6& zone:string@7& hints:discovery.EndpointHints@8&
discovery.EndpointConditions ready:bool@1& serving:bool@2& terminating:bool@3&
discovery.EndpointHints forZones:[discovery.ForZone]@1 forNodes:[discovery.ForNode]@2
discovery.EndpointPort name:string@1& protocol:string@2& port:int@3& appProtocol:string@4&
discovery.EndpointSlice kind:string apiVersion:string metadata:meta.ObjectMeta@1 addressType:string@4* endpoints:[discovery.Endpoint]@2 ports:[discovery.EndpointPort]@3
discovery.ForNode name:string@1*
discovery.ForZone name:string@1*
events.Event kind:string apiVersion:string metadata:meta.ObjectMeta@1 eventTime:microtime@2* series:events.EventSeries@3& reportingController:string@4 reportingInstance:string@5 action:string@6 reason:string@7 regarding:core.ObjectReference@8! related:core.ObjectReference@9&! note:string@10 type:string@11 deprecatedSource:core.EventSource@12 deprecatedFirstTimestamp:time@13 deprecatedLastTimestamp:time@14 deprecatedCount:int@15
events.EventSeries count:int@1* lastObservedTime:microtime@2*
meta.Condition type:string@1* status:string@2* observedGeneration:int64@3 lastTransitionTime:time@4* reason:string@5* message:string@6*
meta.DeleteOptions kind:string apiVersion:string gracePeriodSeconds:int64@1& preconditions:meta.Preconditions@2& orphanDependents:bool@3& propagationPolicy:string@4& dryRun:[string]@5 ignoreStoreReadErrorWithClusterBreakingPotential:bool@6&
meta.FieldSelectorRequirement key:string@1* operator:string@2* values:[string]@3
meta.LabelSelector matchLabels:{string}@1 matchExpressions:[meta.LabelSelectorRequirement]@2
meta.LabelSelectorRequirement key:string@1* operator:string@2* values:[string]@3
meta.ManagedFieldsEntry manager:string@1 operation:string@2 apiVersion:string@3 time:time@4& fieldsType:string@6 fieldsV1:any@7& subresource:string@8
meta.ObjectMeta name:string@1 generateName:string@2 namespace:string@3 selfLink:string@4 uid:string@5 resourceVersion:string@6 generation:int64@7 creationTimestamp:time@8 deletionTimestamp:time@9& deletionGracePeriodSeconds:int64@10& labels:{string}@11 annotations:{string}@12 ownerReferences:[meta.OwnerReference]@13#uid~uid finalizers:[string]@14#~ managedFields:[meta.ManagedFieldsEntry]@17
meta.OwnerReference apiVersion:string@5* kind:string@1* name:string@3* uid:string@4* controller:bool@6& blockOwnerDeletion:bool@7&
meta.Preconditions uid:string@1& resourceVersion:string@2&
networking.HTTPIngressPath path:string@1 pathType:string@3&* backend:networking.IngressBackend@2*
networking.HTTPIngressRuleValue paths:[networking.HTTPIngressPath]@1*
networking.IPBlock cidr:string@1* except:[string]@2
networking.Ingress kind:string apiVersion:string metadata:meta.ObjectMeta@1 spec:networking.IngressSpec@2 status:networking.IngressStatus@3
networking.IngressBackend service:networking.IngressServiceBackend@4& resource:core.TypedLocalObjectReference@3&!
networking.IngressClass kind:string apiVersion:string metadata:meta.ObjectMeta@1 spec:networking.IngressClassSpec@2
networking.IngressClassParametersReference apiGroup:string@1& kind:string@2* name:string@3* scope:string@4& namespace:string@5&
networking.IngressClassSpec controller:string@1 parameters:networking.IngressClassParametersReference@2&
networking.IngressLoadBalancerIngress ip:string@1 hostname:string@2 ports:[networking.IngressPortStatus]@4
networking.IngressLoadBalancerStatus ingress:[networking.IngressLoadBalancerIngress]@1
networking.IngressPortStatus port:int@1* protocol:string@2* error:string@3&
networking.IngressRule host:string@1 http:networking.HTTPIngressRuleValue@2.1&
networking.IngressServiceBackend name:string@1* port:networking.ServiceBackendPort@2!
networking.IngressSpec ingressClassName:string@4& defaultBackend:networking.IngressBackend@1& tls:[networking.IngressTLS]@2 rules:[networking.IngressRule]@3
networking.IngressStatus loadBalancer:networking.IngressLoadBalancerStatus@1
networking.IngressTLS hosts:[string]@1 secretName:string@2
networking.NetworkPolicy kind:string apiVersion:string metadata:meta.ObjectMeta@1 spec:networking.NetworkPolicySpec@2
networking.NetworkPolicyEgressRule ports:[networking.NetworkPolicyPort]@1 to:[networking.NetworkPolicyPeer]@2
networking.NetworkPolicyIngressRule ports:[networking.NetworkPolicyPort]@1 from:[networking.NetworkPolicyPeer]@2
networking.NetworkPolicyPeer podSelector:meta.LabelSelector@1&! namespaceSelector:meta.LabelSelector@2&! ipBlock:networking.IPBlock@3&
networking.NetworkPolicyPort protocol:string@1& port:intorstring@2& endPort:int@3&
networking.NetworkPolicySpec podSelector:meta.LabelSelector@1! ingress:[networking.NetworkPolicyIngressRule]@2 egress:[networking.NetworkPolicyEgressRule]@3 policyTypes:[string]@4
networking.ServiceBackendPort name:string@1 number:int@2
policy.Eviction kind:string apiVersion:string metadata:meta.ObjectMeta@1 deleteOptions:meta.DeleteOptions@2&
policy.PodDisruptionBudget kind:string apiVersion:string metadata:meta.ObjectMeta@1 spec:policy.PodDisruptionBudgetSpec@2 status:policy.PodDisruptionBudgetStatus@3
policy.PodDisruptionBudgetSpec minAvailable:intorstring@1& selector:meta.LabelSelector@2&! maxUnavailable:intorstring@3& unhealthyPodEvictionPolicy:string@4&
policy.PodDisruptionBudgetStatus observedGeneration:int64@1 disruptedPods:{time}@2 disruptionsAllowed:int@3 currentHealthy:int@4 desiredHealthy:int@5 expectedPods:int@6 conditions:[meta.Condition]@7#type~type
rbac.AggregationRule clusterRoleSelectors:[meta.LabelSelector]@1
rbac.ClusterRole kind:string apiVersion:string metadata:meta.ObjectMeta@1 rules:[rbac.PolicyRule]@2 aggregationRule:rbac.AggregationRule@3&
rbac.ClusterRoleBinding kind:string apiVersion:string metadata:meta.ObjectMeta@1 subjects:[rbac.Subject]@2 roleRef:rbac.RoleRef@3!*
rbac.PolicyRule verbs:[string]@1* apiGroups:[string]@2 resources:[string]@3 resourceNames:[string]@4 nonResourceURLs:[string]@5
rbac.Role kind:string apiVersion:string metadata:meta.ObjectMeta@1 rules:[rbac.PolicyRule]@2
rbac.RoleBinding kind:string apiVersion:string metadata:meta.ObjectMeta@1 subjects:[rbac.Subject]@2 roleRef:rbac.RoleRef@3!*
rbac.RoleRef apiGroup:string@1 kind:string@2* name:string@3*
rbac.Subject kind:string@1* apiGroup:string@2 name:string@3* namespace:string@4
scheduling.PriorityClass kind:string apiVersion:string metadata:meta.ObjectMeta@1 value:int@2 globalDefault:bool@3 description:string@4 preemptionPolicy:string@5&
storage.StorageClass kind:string apiVersion:string metadata:meta.ObjectMeta@1 provisioner:string@2* parameters:{string}@3 reclaimPolicy:string@4& mountOptions:[string]@5 allowVolumeExpansion:bool@6& volumeBindingMode:string@7& allowedTopologies:[core.TopologySelectorTerm]@8
`;
