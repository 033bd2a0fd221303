; Voxline for one user: no administrator, no restart. packaging/for_windows.py defines NAME, COMMAND,
; WINDOW, APP_ID, VERSION, VERSION4, HOME_PAGE, PAYLOAD, ICON, LICENCE, TARGET and SIZE_KB.
;
; Each version lies in a folder of its own, app-VERSION: an older one that runs goes on undisturbed,
; and its folder goes with the next setup. Of a folder in use the programs cannot be opened for
; writing (a program that runs) or the folder cannot be renamed (any other file that is open).
!ifdef TRIAL
  Target amd64-unicode ; so that a Wine without 32 bits runs it; NSIS for Windows lacks this kind
  SetCompressor zlib
!else
  Unicode true
  SetCompressor /SOLID lzma
!endif
ManifestDPIAware true
!include MUI2.nsh
!include FileFunc.nsh
!include LogicLib.nsh

Name "${NAME}"
OutFile "${TARGET}"
InstallDir "$LOCALAPPDATA\Programs\${NAME}"
InstallDirRegKey HKCU "Software\${NAME}" "Folder"
RequestExecutionLevel user
BrandingText "${NAME} ${VERSION}"
VIProductVersion "${VERSION4}"
VIAddVersionKey ProductName "${NAME}"
VIAddVersionKey ProductVersion "${VERSION}"
VIAddVersionKey FileVersion "${VERSION}"
VIAddVersionKey FileDescription "Sets ${NAME} up"
VIAddVersionKey LegalCopyright "Under the Apache licence 2.0"

!define UNINSTALL "Software\Microsoft\Windows\CurrentVersion\Uninstall\${NAME}"
!define RUN "Software\Microsoft\Windows\CurrentVersion\Run"
!define OPENS "Software\Classes\Applications\${WINDOW}.exe"
!define APP "$INSTDIR\app-${VERSION}"
!define ALIAS "$LOCALAPPDATA\Microsoft\WindowsApps\${COMMAND}.cmd"

!define MUI_ICON "${ICON}"
!define MUI_UNICON "${ICON}"
!define MUI_FINISHPAGE_RUN "${APP}\${WINDOW}.exe"
!define MUI_FINISHPAGE_RUN_TEXT "Start ${NAME}"
!insertmacro MUI_PAGE_LICENSE "${LICENCE}"
!insertmacro MUI_PAGE_COMPONENTS
!insertmacro MUI_PAGE_DIRECTORY
!insertmacro MUI_PAGE_INSTFILES
!insertmacro MUI_PAGE_FINISH
!insertmacro MUI_UNPAGE_CONFIRM
!insertmacro MUI_UNPAGE_INSTFILES
!insertmacro MUI_LANGUAGE "English"

; $R9 is "1" if this program of the folder $R8 runs.
!macro LookAt program
  ${If} ${FileExists} "$R8\${program}"
    ClearErrors
    FileOpen $R7 "$R8\${program}" a
    ${If} ${Errors}
      StrCpy $R9 "1"
    ${Else}
      FileClose $R7
    ${EndIf}
  ${EndIf}
!macroend

; Takes a folder away, whole or not at all. $R9 is "1" if it is there still, in use.
!macro TakeAway un
Function ${un}TakeAway
  StrCpy $R9 "0"
  ${If} ${FileExists} "$R8\*.*"
    !insertmacro LookAt "${COMMAND}.exe"
    !insertmacro LookAt "${WINDOW}.exe"
    ${If} $R9 == "0"
      ClearErrors
      Rename "$R8" "$R8.gone"
      ${If} ${Errors}
        StrCpy $R9 "1"
      ${Else}
        RMDir /r "$R8.gone"
      ${EndIf}
    ${EndIf}
  ${EndIf}
FunctionEnd
!macroend
!insertmacro TakeAway ""
!insertmacro TakeAway "un."

Section "${NAME}" MainSection
  SectionIn RO
  again:
  StrCpy $R8 "${APP}"
  Call TakeAway
  ${If} $R9 == "1"
    MessageBox MB_RETRYCANCEL|MB_ICONEXCLAMATION \
      "This version of ${NAME} is running. Quit it, then try again." /SD IDCANCEL IDRETRY again
    SetErrorLevel 2
    Abort "${NAME} is running."
  ${EndIf}
  SetOutPath "${APP}"
  File /r "${PAYLOAD}/*"

  SetOutPath "$INSTDIR"
  WriteUninstaller "$INSTDIR\uninstall.exe"
  CreateDirectory "$SMPROGRAMS\${NAME}"
  CreateShortcut "$SMPROGRAMS\${NAME}\${NAME}.lnk" "${APP}\${WINDOW}.exe"
  CreateShortcut "$SMPROGRAMS\${NAME}\Remove ${NAME}.lnk" "$INSTDIR\uninstall.exe"
  WriteRegStr HKCU "Software\${NAME}" "Folder" "$INSTDIR"
  WriteRegStr HKCU "${UNINSTALL}" "DisplayName" "${NAME}"
  WriteRegStr HKCU "${UNINSTALL}" "DisplayVersion" "${VERSION}"
  WriteRegStr HKCU "${UNINSTALL}" "DisplayIcon" "${APP}\${WINDOW}.exe"
  WriteRegStr HKCU "${UNINSTALL}" "Publisher" "The Voxline project"
  WriteRegStr HKCU "${UNINSTALL}" "URLInfoAbout" "${HOME_PAGE}"
  WriteRegStr HKCU "${UNINSTALL}" "InstallLocation" "$INSTDIR"
  WriteRegStr HKCU "${UNINSTALL}" "UninstallString" '"$INSTDIR\uninstall.exe"'
  WriteRegStr HKCU "${UNINSTALL}" "QuietUninstallString" '"$INSTDIR\uninstall.exe" /S'
  WriteRegDWORD HKCU "${UNINSTALL}" "EstimatedSize" ${SIZE_KB}
  WriteRegDWORD HKCU "${UNINSTALL}" "NoModify" 1
  WriteRegDWORD HKCU "${UNINSTALL}" "NoRepair" 1

  ; "Open with": offered for sound and video, nobody's default is changed
  WriteRegStr HKCU "${OPENS}" "FriendlyAppName" "${NAME}"
  WriteRegStr HKCU "${OPENS}\shell\open\command" "" '"${APP}\${WINDOW}.exe" "%1"'
  !macro Opens ending
    WriteRegStr HKCU "${OPENS}\SupportedTypes" "${ending}" ""
  !macroend
  !insertmacro Opens ".wav"
  !insertmacro Opens ".mp3"
  !insertmacro Opens ".m4a"
  !insertmacro Opens ".flac"
  !insertmacro Opens ".ogg"
  !insertmacro Opens ".opus"
  !insertmacro Opens ".mp4"
  !insertmacro Opens ".mkv"
  !insertmacro Opens ".mov"
  !insertmacro Opens ".webm"
  !insertmacro Opens ".avi"

  ; the command in terminals: a folder that is on every user's PATH
  ${If} ${FileExists} "$LOCALAPPDATA\Microsoft\WindowsApps\*.*"
    FileOpen $0 "${ALIAS}" w
    FileWrite $0 '@"${APP}\${COMMAND}.exe" %*$\r$\n'
    FileClose $0
  ${EndIf}
  Call TakeAwayOthers
SectionEnd

Section /o "Start with Windows" AutostartSection
  WriteRegStr HKCU "${RUN}" "${NAME}" '"${APP}\${WINDOW}.exe"'
SectionEnd

; Older versions that nobody uses any more; one that runs is left for the next setup.
Function TakeAwayOthers
  FindFirst $0 $1 "$INSTDIR\app-*"
  ${DoWhile} $1 != ""
    ${If} $1 != "app-${VERSION}"
      StrCpy $R8 "$INSTDIR\$1"
      Call TakeAway
    ${EndIf}
    FindNext $0 $1
  ${Loop}
  FindClose $0
  ; an autostart that an older version had goes on with this one
  ReadRegStr $2 HKCU "${RUN}" "${NAME}"
  ${If} $2 != ""
    WriteRegStr HKCU "${RUN}" "${NAME}" '"${APP}\${WINDOW}.exe"'
  ${EndIf}
FunctionEnd

!insertmacro MUI_FUNCTION_DESCRIPTION_BEGIN
  !insertmacro MUI_DESCRIPTION_TEXT ${MainSection} "The app, with speech recognition inside."
  !insertmacro MUI_DESCRIPTION_TEXT ${AutostartSection} "Captions are there when you log in."
!insertmacro MUI_FUNCTION_DESCRIPTION_END

Section "Uninstall"
  again:
  FindFirst $0 $1 "$INSTDIR\app-*"
  ${DoWhile} $1 != ""
    StrCpy $R8 "$INSTDIR\$1"
    Call un.TakeAway
    ${If} $R9 == "1"
      FindClose $0
      MessageBox MB_RETRYCANCEL|MB_ICONEXCLAMATION \
        "${NAME} is running. Quit it, then try again." /SD IDCANCEL IDRETRY again
      SetErrorLevel 2
      Abort "${NAME} is running."
    ${EndIf}
    FindNext $0 $1
  ${Loop}
  FindClose $0
  Delete "$INSTDIR\uninstall.exe"
  RMDir "$INSTDIR"
  Delete "${ALIAS}"
  Delete "$SMPROGRAMS\${NAME}\${NAME}.lnk"
  Delete "$SMPROGRAMS\${NAME}\Remove ${NAME}.lnk"
  RMDir "$SMPROGRAMS\${NAME}"
  DeleteRegValue HKCU "${RUN}" "${NAME}"
  DeleteRegKey HKCU "${OPENS}"
  DeleteRegKey HKCU "${UNINSTALL}"
  DeleteRegKey HKCU "Software\${NAME}"
  DetailPrint "Your transcripts stay in Documents\${NAME}; all else of yours in $LOCALAPPDATA\${NAME}."
  MessageBox MB_OK|MB_ICONINFORMATION \
    "${NAME} is removed. Your transcripts stay in Documents\${NAME}; settings, the library of sessions, \
    unfinished ones and models in $LOCALAPPDATA\${NAME}." /SD IDOK
SectionEnd
